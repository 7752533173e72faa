/** @file Several documents in one row, positions and attention their own, against transformers. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { forbidden } from "../../../src/engine/core/causal-mask.ts";
import type { ModelBatch } from "../../../src/engine/network/batch.ts";
import { logitsOf } from "../../../src/engine/network/inference.ts";
import { createOrtBackend } from "../../../src/engine/runtime/ort.ts";
import { at } from "../../../src/shared/errors.ts";
import { scoredRows } from "../../support/network.ts";
import type { Packing } from "./fixture.ts";
import { loadFixture } from "./fixture.ts";
import { assertWithin, largestError, parityCase } from "./parity.ts";

describe("packed documents", () => {
  it("equal transformers: logits, loss, norm of all gradients", async (t) => {
    const fixture = loadFixture("llama");
    const { packing } = fixture;
    assert(packing);
    const backend = await createOrtBackend({ device: "cpu", threads: 2 });
    const { context, train, optimizer } = parityCase(fixture, backend).build("full");
    const batch = packedBatch(packing);
    const logits = await logitsOf(context, { ...batch, rows: batch.ids.map((_, place) => place) });
    const count = scoredRows(batch);
    const loss = (await train(batch, 1 / count)) / count;
    const errors = {
      logits: largestError(logits, packing.logits.flat(2)),
      loss: Math.abs(loss / packing.loss - 1),
      gradientNorm: Math.abs((await optimizer.gradientNorm()) / packing.gradientNorm - 1),
    };
    t.diagnostic(assertWithin(errors));
  });
});

/** Attention stays within a document; all rows are scored but those whose next token starts another. */
function packedBatch({ documents, inputIds, positionIds, labels }: Packing): ModelBatch {
  const document = documents.flatMap((tokens, index) => tokens.map(() => index));
  const length = document.length;
  const data = Float32Array.from({ length: length * length }, (_, place) =>
    document[Math.floor(place / length)] === document[place % length] ? 0 : forbidden,
  );
  const next = labels.flatMap((row) => [...row.slice(1), -100]);
  const rows = Int32Array.from(next.keys()).filter((place) => at(next, place) >= 0);
  return {
    batch: 1,
    length,
    ids: Int32Array.from(inputIds.flat()),
    positions: Int32Array.from(positionIds.flat()),
    types: new Int32Array(length),
    ownPositions: true,
    bias: { kind: "full", data },
    rows,
    targets: { kind: "classes", labels: rows.map((place) => at(next, place)) },
  };
}
