/** @file Tensors that config.json asks for and a checkpoint lacks, or has in another shape. */
import type { Shape } from "../../shared/dtypes.ts";
import type { Model } from "./architecture.ts";
import { storedTensor } from "./stored-tensor.ts";

type Tensors = ReadonlyMap<string, { readonly shape: Shape }>;

/** What is said of them, as far as the headers of the weights tell; a run refuses the first of them. */
export function tensorsAtFault(
  model: Model,
  tensors: Tensors,
): { readonly message: string; readonly remedy: string } | undefined {
  const missing: string[] = [];
  const misshapen: string[] = [];
  for (const tensor of model.blocks.flatMap((block) => block.tensors)) {
    const { source, shape, transposed, fresh } = tensor;
    const wanted = transposed ? shape.toReversed() : shape;
    const found = storedTensor(model, tensors, tensor)?.shape;
    if (found === undefined) {
      // What may start afresh need not be there.
      if (fresh === undefined) missing.push(source);
    } else if (found.join() !== wanted.join())
      misshapen.push(`${source} is ${written(found)} and not ${written(wanted)}`);
  }
  const parts = [
    ...(missing.length > 0 ? [`they lack ${firstOf(missing)}`] : []),
    ...(misshapen.length > 0 ? [`of other shapes: ${firstOf(misshapen)}`] : []),
  ];
  if (parts.length === 0) return undefined;
  return {
    message: `The weights are not those that config.json describes; ${parts.join("; ")}.`,
    remedy: "Take config.json and weights from the same model and revision.",
  };
}

/** `a, b, c and 4 more`. */
export function firstOf(names: readonly string[]): string {
  const more = names.length > 3 ? ` and ${names.length - 3} more` : "";
  return `${names.slice(0, 3).join(", ")}${more}`;
}

function written(shape: Shape): string {
  return `[${shape.join(", ")}]`;
}
