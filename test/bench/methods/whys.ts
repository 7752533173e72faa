/**
 * @file Why a row scores otherwise than LoRA on the sample, in a sentence each, with what the reference scored there:
 * `test/reference/methods/control.py ROW RATE SEED`, 40 steps of 8 examples.
 */
export const whys: Readonly<Record<string, string>> = {
  vera: "It trains a seventh of LoRA's numbers, between frozen random factors, and needs a higher learning rate: peft's VeRA answers 27.3 % at 0.1.",
  ia3: "It trains one factor for each activation and no matrix: peft's IA³ answers 13.3 % at 0.1.",
  lokr: "Of its two factors the one that starts at zero has four numbers at most layers, so that it needs a higher learning rate: peft's LoKr of this size answers 24.2 % at 0.03.",
  adalora:
    "Its singular values start at zero between small factors that a penalty holds orthonormal: peft's AdaLoRA answers none at 0.01 and 17.2 % at 0.03.",
  pissa:
    "Its factors are as large as the weight's first singular vectors, so that it needs a lower learning rate: peft's PiSSA answers 27.3 % at 0.003.",
  prompt_tuning:
    "Twenty trained rows before the words change a model of this size little in 40 steps: peft's prompt tuning answers none at 0.1.",
  prefix_tuning:
    "Its keys and values start far from what the base attends to: peft's prefix tuning answers none at 0.1.",
  sgd: "One rate for all weights, with no step sizes of their own, is slow here: PyTorch's SGD answers none at 0.1.",
  adam_mini:
    "One step size for all of an embedding's row and each head is too coarse for so few steps: its formulas in PyTorch answer 0.8 % at 0.003.",
};
