/** @file A layer that the model does not have. */
import { nodeAt } from "../../../src/shared/experiment/tree.ts";
import { valueOf } from "../facts.ts";
import type { FactCheck } from "./check.ts";
import { methodPath } from "./check.ts";

export const layerOutOfRange: FactCheck = {
  code: "layer-out-of-range",
  severity: "error",
  doc: "`layers_to_transform` counts layers from 0; an index behind the last one adapts nothing.",
  find(ctx) {
    const layers = valueOf(ctx.model)?.layers;
    if (layers === undefined) return [];
    return ctx.experiment.method.flatMap(({ layers_to_transform: indices }, index) =>
      (indices ?? []).flatMap((layer, item) => {
        if (layer < layers) return [];
        const field = methodPath(ctx, index, "layers_to_transform");
        const listed = nodeAt(ctx.document, field)?.kind === "list";
        return [
          {
            path: listed ? [...field, String(item)] : field,
            message: `The model has no layer ${layer}: its ${layers} layers are 0 to ${layers - 1}.`,
          },
        ];
      }),
    );
  },
};
