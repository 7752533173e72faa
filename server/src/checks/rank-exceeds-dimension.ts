/** @file A rank above a layer's smaller dimension. */
import type { FactCheck } from "./check.ts";
import { hasTargets } from "./check.ts";
import { decomposes } from "./rank-of-decomposition.ts";
import { ranksAbove } from "./ranks-above.ts";

export const rankExceedsDimension: FactCheck = {
  code: "rank-exceeds-dimension",
  severity: "warning",
  doc: "A product of factors has at most the rank of the matrix's smaller dimension; what is above it is paid for and gives nothing.",
  find: (ctx) =>
    ranksAbove(
      ctx,
      (choice) => !decomposes(choice) && hasTargets(ctx, choice),
      "the smaller dimension of",
      (most) => `At most ${most} has an effect there.`,
    ),
};
