/** @file Tries a quantizer's configurations over the whole model on a part of the text, and keeps the best. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { at } from "../../shared/errors.ts";
import { isRecord, parseJson } from "../../shared/wire.ts";
import type { BoundQuantizer } from "../quantizers/define.ts";
import { writeFileAtomic } from "../runs/atomic.ts";
import { unlessMissing } from "../runs/file-errors.ts";
import type { QuantizeParts } from "./quantize-layers.ts";
import { quantizeLayers } from "./quantize-layers.ts";

/** Tokens that candidates are tried on, nearly. */
const triedTokens = 2048;

/** A pass before that over the layers, of so many alike. */
export interface Search {
  readonly what: "configuration" | "ways of storing layer";
  readonly done: number;
  readonly of: number;
}

/** The candidate with the least error of outputs summed over layers; what was found is kept in `folder`. */
export async function bestCandidate(
  parts: QuantizeParts,
  folder: string,
  now: () => number,
  onProgress: (search: Search) => void,
): Promise<BoundQuantizer> {
  const candidates = parts.quantizer.candidates();
  if (candidates.length < 2 || parts.batches.length === 0) return candidates[0] ?? parts.quantizer;
  const file = join(folder, "candidate.json");
  const known = parseJson((await unlessMissing(readFile(file, "utf8"))) ?? "null");
  if (isRecord(known) && typeof known["index"] === "number") return at(candidates, known["index"]);
  let tokens = 0;
  const batches = parts.batches.filter(({ counted }) => {
    const fits = tokens < triedTokens;
    tokens += counted.length;
    return fits;
  });
  let best = { index: 0, error: Infinity };
  for (const [index, quantizer] of candidates.entries()) {
    onProgress({ what: "configuration", done: index, of: candidates.length });
    let error = 0;
    const work = { ...parts, quantizer, batches };
    for await (const { outputError = 0 } of quantizeLayers(work, undefined, now, () => undefined)) {
      error += outputError;
      if (error >= best.error) break;
    }
    if (error < best.error) best = { index, error };
  }
  await writeFileAtomic(file, `${JSON.stringify(best)}\n`);
  return at(candidates, best.index);
}
