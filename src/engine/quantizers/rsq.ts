/**
 * @file RSQ: hidden states rotated, tokens weighted by the attention paid to them, then GPTQ's sweep.
 *
 * "RSQ: Learning from Important Tokens Leads to Better Quantized LLMs", Sung, Yadav, Li, Yoon, Bansal, 2025,
 * https://arxiv.org/abs/2503.01820. The model is turned as QuaRot does, as far as that takes no operator when it runs
 * (`blocks/rotation.ts`): the turn of what the last matrix of an MLP reads would be one on every base and device, and in
 * folders that nobody else reads. Each token of a sequence gets r from `least` to `most`, evenly between the least and the most
 * attention that the sequence pays to it, over heads and queries; the sweep's H is Xᵀ diag(r²) X. Its official code takes
 * diag(r): `power: 1`. With `rotate: false, least: 1, most: 1` this is GPTQ.
 */
import { bool, number } from "../../shared/schema.ts";
import { defineQuantizer } from "./define.ts";
import { grid } from "./formats/grid.ts";
import { columnBytes, columnFields, sweptGrid } from "./gptq.ts";

export const rsq = defineQuantizer({
  name: "rsq",
  title: "RSQ",
  doc: "Rotates hidden states so that no channel stands out, and rounds as GPTQ does with the tokens that attention goes to counting more.",
  equation:
    "GPTQ's sweep of rotated weights W Q with H = Xᵀ diag(r²) X, r each token's share of the attention",
  use: "Choose it for 3 bits and fewer, where the model's norms take no means off and text of its kind is at hand.",
  paperTitle: "RSQ: Learning from Important Tokens Leads to Better Quantized LLMs",
  paper: "https://arxiv.org/abs/2503.01820",
  axes: { B: "integers of 2 to 8 bits, rotated, errors carried on" },
  config: {
    ...columnFields,
    true_sequential: bool({ default: true, doc: columnFields.true_sequential.doc }),
    rotate: bool({ default: true, doc: "Rotate the model first, by the seed." }),
    least: number({
      default: 1,
      min: 0,
      doc: "Weight of the token of a sequence to which it pays least attention.",
      aliases: ["min_value"],
    }),
    most: number({
      default: 3,
      min: 0,
      doc: "Weight of the one to which it pays most.",
      aliases: ["max_value"],
    }),
    power: number({
      default: 2,
      min: 0,
      doc: "Of the weights in the second moments: 2 as in the paper, 1 as in its code.",
    }),
  },
  needs: () => ["moments"],
  tokens: ({ least, most, power }) => ({ least, most, power }),
  rotates: ({ rotate }) => rotate,
  sequential: ({ true_sequential }) => true_sequential,
  formats: [grid],
  storedBytes: columnBytes,
  quantize: (config, matrix, ctx) => sweptGrid(config, matrix, ctx, true),
});
