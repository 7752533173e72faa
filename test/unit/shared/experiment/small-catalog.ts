/** @file A catalog of a few rows, enough for the experiment file's own tests. */
import type { CatalogFields } from "../../../../src/shared/experiment/fields/catalog-fields.ts";
import { bool, int, list, number, oneOf } from "../../../../src/shared/schema.ts";

const r = int({ default: 8, min: 1, doc: "Rank of the update B A.", aliases: ["rank"] });
const alpha = number({ default: 16, above: 0, doc: "Scale: W' = W + (alpha / r) B A." });
const weightDecay = number({ default: 0, min: 0, doc: "Decay of the weights." });

export const smallCatalog: CatalogFields = {
  methods: {
    lora: {
      title: "LoRA",
      doc: "A low-rank update beside each frozen weight.",
      paper: "https://arxiv.org/abs/2106.09685",
      fields: { r, alpha, use_rslora: bool({ default: false, doc: "Scale by alpha / √r." }) },
    },
    dora: {
      title: "DoRA",
      doc: "Magnitude and direction apart.",
      fields: { rank: { ...r, key: "r" }, alpha },
    },
    full: {
      title: "Full fine-tuning",
      doc: "Every weight is trained.",
      fields: {},
      omits: ["dropout", "init", "sharing", "allocation"],
      trainsBase: true,
    },
  },
  initialisers: {
    pissa: {
      doc: "The strongest singular directions of W.",
      fields: {
        niter: int({ default: 0, min: 0, doc: "Iterations; 0 for the exact ones." }),
        of: oneOf(["original", "dequantized"], { default: "original", doc: "Which W." }),
      },
    },
    eva: { doc: "The strongest directions of the inputs.", fields: {} },
    gaussian: { doc: "Normal.", fields: {} },
  },
  allocations: {},
  sharings: {},
  quantizers: {
    nf4: {
      doc: "Four bits by quantiles of the normal distribution.",
      fields: {
        block_size: int({ default: 64, min: 1, doc: "Weights that share a scale." }),
        double_quant: bool({ default: true, doc: "Quantize the scales too." }),
      },
    },
    int8: { doc: "Eight bits.", fields: {} },
  },
  optimizers: {
    adamw: {
      doc: "Adam with decoupled decay.",
      fields: {
        betas: list(number({ min: 0, below: 1, doc: "A decay." }), {
          default: [0.9, 0.999],
          minLength: 2,
          maxLength: 2,
          doc: "Decay of both moments.",
        }),
        eps: number({ default: 1e-8, above: 0, doc: "Added to the root." }),
        weight_decay: weightDecay,
      },
    },
    sgd: {
      doc: "Plain gradient descent.",
      fields: {
        momentum: number({ default: 0, min: 0, below: 1, doc: "Momentum." }),
        weight_decay: weightDecay,
      },
    },
  },
  schedulers: {
    constant: { doc: "The same all along.", fields: {} },
    linear: { doc: "Falls in a line to zero.", fields: {} },
    cosine: { doc: "Falls as a half cosine.", fields: {} },
  },
  activeLayers: {},
};
