/**
 * @file LoRA+: AdamW with a higher learning rate for B than for A.
 *
 * Hayou, Ghosh, Yu, "LoRA+: Efficient Low Rank Adaptation of Large Models", 2024, https://arxiv.org/abs/2402.12354.
 *
 *   lr_B = ratio · lr, lr_A = lr; the step itself is AdamW's, decay included
 *
 * peft's `create_loraplus_optimizer` raises the rate of biases and norms too; here, as in the paper, of B alone.
 */
import { number } from "../../shared/schema.ts";
import { adamFields, adamNumbers, adamStep } from "./adam-step.ts";
import { defineUpdateRule } from "./define.ts";

export const loraPlus = defineUpdateRule({
  name: "lora_plus",
  title: "LoRA+",
  doc: "AdamW that gives B of every low-rank pair a higher learning rate than A.",
  equation: "lr_B = ratio · lr, lr_A = lr, else AdamW",
  use: "Choose it for LoRA on wide models, where B may learn faster than A.",
  paperTitle: "LoRA+: Efficient Low Rank Adaptation of Large Models",
  paper: "https://arxiv.org/abs/2402.12354",
  config: {
    ratio: number({
      default: 16,
      above: 0,
      doc: "What the learning rate of B is multiplied by.",
      aliases: ["loraplus_lr_ratio"],
    }),
    ...adamFields,
  },
  axes: { U: "AdamW, a rate for each factor" },
  evidence: "reference",
  state: ["m", "v"],
  numbers: (config, step) => ({ ...adamNumbers(config, step) }),
  step: (g, inputs, config) => adamStep(g, inputs, config),
  rate: ({ pair }, { ratio }) => (pair?.role === "B" ? ratio : 1),
});
