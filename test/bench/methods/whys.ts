/**
 * @file Why a row scores otherwise than LoRA on the sample, in a sentence each, with what the reference scored there:
 * `test/reference/methods/control.py ROW RATE SEED`, 40 steps of 8 examples.
 */
export const whys: Readonly<Record<string, string>> = {};
