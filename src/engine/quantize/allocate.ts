/** @file Shares a budget of bits out over a model's matrices: each is tried in every way that a quantizer offers, on the float model. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { at, UserError } from "../../shared/errors.ts";
import { isRecord, parseJson } from "../../shared/wire.ts";
import type { LinearSpec } from "../models/architecture.ts";
import type { Choice } from "../quantizers/blocks/budget.ts";
import type { BoundQuantizer, WayOfStoring } from "../quantizers/define.ts";
import { writeFileAtomic } from "../runs/atomic.ts";
import { unlessMissing } from "../runs/file-errors.ts";
import { kindOf } from "../programs/setup.ts";
import type { Search } from "./candidates.ts";
import { passLayer } from "./one-layer.ts";
import type { QuantizeParts } from "./quantize-layers.ts";
import { layersOf, openStreams, readLayer } from "./quantize-layers.ts";
import { heldOf } from "./held-weights.ts";
import { contextOf, gatherInputs } from "./statistics.ts";

export interface Allotted {
  readonly quantizer: BoundQuantizer;
  /** Fields of each module, where there was a budget. */
  readonly fields?: Readonly<Record<string, unknown>>;
}

/** What is found is kept in `folder`. A {@link UserError} for a budget below the smallest that there is. */
export async function withinBudget(
  parts: QuantizeParts,
  folder: string,
  onProgress: (search: Search) => void,
): Promise<Allotted> {
  const { budget } = parts.quantizer;
  if (!budget) return { quantizer: parts.quantizer };
  const file = join(folder, "allocation.json");
  const known = parseJson((await unlessMissing(readFile(file, "utf8"))) ?? "null");
  if (isRecord(known)) return allotted(parts.quantizer, known);
  const ways: { readonly module: string; readonly of: readonly WayOfStoring[] }[] = [];
  let weights = 0;
  for await (const { linear, of } of waysOf(parts, onProgress)) {
    ways.push({ module: linear.module, of });
    weights += linear.in * linear.out;
  }
  const choices = ways.map(({ of }): readonly Choice[] => of);
  const found = budget.allocate(choices, budget.bits * weights);
  if (!found) {
    const least = choices.reduce(
      (sum, of) => sum + of.reduce((a, { size }) => Math.min(a, size), Infinity),
      0,
    );
    const needed = Math.ceil((1000 * least) / weights) / 1000;
    throw new UserError({
      code: "budget-too-small",
      message: `No way of storing these matrices takes ${budget.bits} bits a weight; the smallest takes ${needed}.`,
      remedy: `Give a budget of ${needed} or more, or a smaller rank.`,
    });
  }
  const fields = Object.fromEntries(
    ways.map(({ module, of }, i) => [module, at(of, at(found.chosen, i)).config]),
  );
  await writeFileAtomic(file, `${JSON.stringify(fields)}\n`);
  return allotted(parts.quantizer, fields);
}

/** Each module under its own fields. */
function allotted(quantizer: BoundQuantizer, fields: Readonly<Record<string, unknown>>): Allotted {
  const each: BoundQuantizer["alone"] = (matrix, ctx) =>
    quantizer.under(fields[matrix.module])(matrix, ctx);
  return {
    fields,
    quantizer: { ...quantizer, alone: each, layer: () => Promise.resolve(each) },
  };
}

/** Of each matrix in the model's order, on the float stream. */
async function* waysOf(parts: QuantizeParts, onProgress: (search: Search) => void) {
  const { quantizer, linalg, batches } = parts;
  const streams = quantizer.needs.length > 0 ? await openStreams(parts) : undefined;
  const layers = layersOf(parts);
  const gathering = { needs: new Set(quantizer.needs), tokens: undefined };
  for (const [index, { setup, linears }] of layers.entries()) {
    onProgress({ what: "ways of storing layer", done: index, of: layers.length });
    const weights = await readLayer(parts, setup);
    const modules = new Set(linears.map(({ module }) => module));
    const inputs = streams
      ? await gatherInputs(parts, setup, weights, batches, streams.float, modules, gathering)
      : [];
    const of = contextOf(linalg, inputs, parts.losses, parts.random);
    for (const linear of linears) yield { linear, of: await ways(linear) };
    if (streams) await passLayer(parts, setup, weights, batches, streams.float);

    async function ways({ module, in: columns, out: rows, ...linear }: LinearSpec) {
      const { data } = heldOf(weights, `${module}.weight`);
      const matrix = { module, kind: kindOf({ module, ...linear }), rows, columns, data };
      return (await quantizer.budget?.ways(matrix, of(module))) ?? [];
    }
  }
}
