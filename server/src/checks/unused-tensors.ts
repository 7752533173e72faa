/** @file Tensors of the weights that config.json leaves out. */
import { tensorsLeftOut } from "../../../src/engine/models/tensors-left-out.ts";
import { valueOf } from "../facts.ts";
import type { FactCheck } from "./check.ts";

export const unusedTensors: FactCheck = {
  code: "unused-tensors",
  severity: "warning",
  doc: "Weights with more layers than config.json counts are of another model, or config.json was edited: the run leaves the rest out.",
  find(ctx) {
    const view = valueOf(ctx.model);
    if (view?.model === undefined) return [];
    const unused = tensorsLeftOut(view.model, view.facts.tensors.keys());
    return unused === undefined ? [] : [{ path: "model", ...unused }];
  },
};
