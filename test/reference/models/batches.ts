/** @file A fixture's batches as the engine takes them. */
import { forbidden } from "../../../src/engine/core/causal-mask.ts";
import type { Model } from "../../../src/engine/models/architecture.ts";
import type { ModelBatch } from "../../../src/engine/network/batch.ts";
import { at } from "../../../src/shared/errors.ts";
import type { Batch } from "./fixture.ts";

/**
 * The rows of a causal model: those whose next token has a label (`scored`), or every one that is no padding
 * (`real`). An encoder's rows are the first tokens in any case.
 */
export function modelBatch(model: Model, fixture: Batch, choice: "scored" | "real"): ModelBatch {
  const { inputIds, attentionMask, tokenTypeIds, labels } = fixture;
  const batch = inputIds.length;
  const length = at(inputIds, 0).length;
  const mask = attentionMask.flat();
  const tokens = {
    batch,
    length,
    ids: Int32Array.from(inputIds.flat()),
    positions: Int32Array.from(mask, (_, place) => model.firstPosition + (place % length)),
    types: Int32Array.from(tokenTypeIds?.flat() ?? mask.map(() => 0)),
    ownPositions: false,
  };
  if (isNumbers(labels)) {
    const data = Float32Array.from(mask, (real) => (real === 0 ? forbidden : 0));
    const targets: ModelBatch["targets"] =
      model.target === "values"
        ? { kind: "values", values: Float32Array.from(labels) }
        : { kind: "classes", labels: Int32Array.from(labels) };
    const rows = Int32Array.from(labels, (_, row) => row * length);
    return { ...tokens, bias: { kind: "keys", data }, rows, targets };
  }
  // The label of a row is the next token's.
  const next = labels.flatMap((row) => [...row.slice(1), -100]);
  const rows = Int32Array.from(mask.keys()).filter((place) =>
    choice === "scored" ? at(next, place) >= 0 : mask[place] === 1,
  );
  return {
    ...tokens,
    // Padding stands behind the words.
    lengths: attentionMask.map((row) => row.reduce((sum, real) => sum + real, 0)),
    rows,
    targets: { kind: "classes", labels: rows.map((place) => at(next, place)) },
  };
}

function isNumbers(labels: Batch["labels"]): labels is readonly number[] {
  return typeof labels[0] === "number";
}
