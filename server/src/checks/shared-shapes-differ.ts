/** @file Tensors that modules of different shapes would share. */
import type { FactCheck } from "./check.ts";
import { refusedBySetup } from "./refused-by-setup.ts";

export const sharedShapesDiffer: FactCheck = {
  code: "shared-shapes-differ",
  severity: "error",
  doc: "Modules can share a tensor only where it has one shape in all of them; a rank of its own at one of them gives it another.",
  find: (ctx) => refusedBySetup(ctx, "shared-shapes-differ", "rank_pattern"),
};
