/**
 * @file Why a row scores otherwise than LoRA on the sample, in a sentence each, with what the reference scored there:
 * `test/reference/methods/control.py ROW RATE SEED`, 40 steps of 8 examples. Told where the row's mean lies outside LoRA's
 * interval.
 */
export const whys: Readonly<Record<string, string>> = {
  prompt_tuning:
    "Twenty trained rows before the words change a model of this size little in 40 steps: peft's prompt tuning answers none at 0.1.",
  prefix_tuning:
    "Its keys and values start far from what the base attends to: peft's prefix tuning answers none at 0.1.",
  lst: "Its narrow network starts at random, and the head hears it alone: its formulas in PyTorch answer none at 0.01 with either of two seeds.",
  norms:
    "1,760 numbers move the model too little in 40 steps: PyTorch, training the norms alone, answers none at 0.1 with one seed and 1.6 % with another.",
  sgd: "One rate for all weights, with no step sizes of their own, is slow here: PyTorch's SGD answers none at 0.1.",
  lomo: "Its step is SGD's, whose one rate for all weights is slow here: PyTorch's SGD answers none at 0.1.",
  mezo: "One random direction a step asks for thousands of steps, at rates far below this grid: its formulas in PyTorch answer none at 0.001.",
  hift: "Each of seven groups trains in a seventh of 40 steps: its formulas in PyTorch answer 1.6, 1.6 and 4.7 % at 0.003.",
};
