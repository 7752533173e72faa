/** @file The distinct shapes in which examples go through a model: programs are compiled, and kept, for each. */
import { at } from "../../shared/errors.ts";
import type { MicroBatch } from "../data/batches/batch-plan.ts";
import type { Examples } from "../data/examples/example-store.ts";
import { exampleLength } from "../data/examples/example-store.ts";
import { promptGroups } from "../data/examples/prompts.ts";
import type { Model } from "../models/architecture.ts";
import type { GenerationShape } from "../network/generation-shape.ts";
import { generationShape } from "../network/generation-shape.ts";
import { logitRows } from "../network/head-rows.ts";
import type { BatchShape } from "../programs/layer.ts";

/** Micro-batches of one shape. */
export interface PlannedShape {
  readonly shape: BatchShape;
  /** How many rows the head takes at once, each number that occurs. */
  readonly headRows: readonly number[];
}

/** Each shape among `batches`; `packing` says whether rows hold several examples. */
export function batchShapes(
  model: Model,
  examples: Examples,
  batches: Iterable<MicroBatch>,
  packing: boolean,
): readonly PlannedShape[] {
  const causal = model.task === "causal-lm";
  const targets = causal ? targetsOf(examples) : undefined;
  const found = new Map<string, { readonly shape: BatchShape; readonly headRows: Set<number> }>();
  for (const { rows, sequenceLength: length } of batches) {
    const padded = rows.some(([example = 0]) => exampleLength(examples, example) < length);
    const bias = packing ? "full" : !causal && padded ? "keys" : "none";
    const shape = { batch: rows.length, length, ownPositions: packing, bias } as const;
    const key = `${shape.batch}x${length} ${bias}`;
    const known = found.get(key) ?? { shape, headRows: new Set<number>() };
    found.set(key, known);
    const count = targets
      ? rows.flat().reduce((sum, example) => sum + at(targets, example), 0)
      : rows.length;
    known.headRows.add(logitRows(model, count));
  }
  return [...found.values()].map(({ shape, headRows }) => ({ shape, headRows: [...headRows] }));
}

/** Tokens of each example that are predicted: the first is not, whatever trains. */
function targetsOf({ count, starts, trained }: Examples): Uint32Array {
  const targets = new Uint32Array(count);
  for (let example = 0; example < count; example++)
    for (let place = at(starts, example) + 1; place < at(starts, example + 1); place++)
      targets[example] = at(targets, example) + at(trained, place);
  return targets;
}

/** Each shape in which completions of a split are generated, after `virtual` places that are no words. */
export function generationShapes(
  { sizes }: Model,
  examples: Examples,
  subset: Uint32Array,
  newTokens: number,
  virtual: number,
): readonly GenerationShape[] {
  const shapes = promptGroups(examples, subset).map(({ prompts }) =>
    generationShape(
      prompts.map(({ length }) => length + virtual),
      newTokens,
      sizes.maxLength + virtual,
    ),
  );
  return [...new Map(shapes.map((shape) => [JSON.stringify(shape), shape])).values()];
}
