/**
 * @file ShareLoRA: all layers have one A, or one B, or both, for each kind of projection.
 *
 * Song, Zhao, Majumder, Lin, "ShareLoRA: Parameter Efficient and Robust Large Language Model Fine-tuning via Shared
 * Low-Rank Adaptation", 2024, https://arxiv.org/abs/2406.10785.
 *
 *   W_l' = W_l + s B_l A   (share: A)
 *
 * Only sites of equal sizes can share; the tied tensor's gradient is the sum over its sites.
 */
import { oneOf } from "../../shared/schema.ts";
import { defineSharing } from "./define.ts";

export const sharelora = defineSharing({
  name: "sharelora",
  title: "ShareLoRA",
  doc: "One A, one B or both for all layers' projections of a kind.",
  equation: "W_l' = W_l + s B_l A, A, B or both of all layers",
  use: "Choose it where half the adapter's size or less matters more than its last bit of quality.",
  paperTitle:
    "ShareLoRA: Parameter Efficient and Robust Large Language Model Fine-tuning via Shared Low-Rank Adaptation",
  paper: "https://arxiv.org/abs/2406.10785",
  axes: { X: "tied factors", E: "plain LoRA" },
  config: {
    share: oneOf(
      {
        A: "One A; each site has its own B.",
        B: "One B; each site has its own A.",
        AB: "One pair.",
      },
      { default: "A", doc: "Which factors are shared." },
    ),
  },
  shared: ({ share }) => (share === "AB" ? ["A", "B"] : [share]),
});
