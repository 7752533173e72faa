/** @file Tensors that config.json asks for and the weights lack, or have in another shape. */
import { tensorsAtFault } from "../../../src/engine/models/tensors-at-fault.ts";
import { valueOf } from "../facts.ts";
import type { FactCheck } from "./check.ts";

export const weightsOfAnotherModel: FactCheck = {
  code: "weights-of-another-model",
  severity: "error",
  doc: "A run reads every tensor that config.json describes; one that is not there, or of another shape, ends it before the first step.",
  find(ctx) {
    const view = valueOf(ctx.model);
    if (view?.model === undefined) return [];
    const fault = tensorsAtFault(view.model, view.facts.tensors);
    return fault === undefined ? [] : [{ path: "model", ...fault }];
  },
};
