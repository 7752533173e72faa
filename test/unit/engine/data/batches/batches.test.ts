/** @file Arrays of a batch: shifted labels, positions, segments, padding. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { planBatches } from "../../../../../src/engine/data/batches/batch-plan.ts";
import { causalBatch, labelledBatch } from "../../../../../src/engine/data/batches/batches.ts";
import { exampleStore } from "../../../../../src/engine/data/examples/example-store.ts";
import { numberedExamples, randomLengths } from "./random.ts";

const store = exampleStore({ typeIds: false, labels: false });
store.add({ ids: [11, 12, 13], trained: [1, 0, 1], row: 0 });
store.add({ ids: [21, 22], trained: [0, 1], row: 1 });
const examples = store.finish();

test("labels are the next token where it is trained on", () => {
  const batch = causalBatch(
    examples,
    { rows: [[0], [1]], sequenceLength: 4 },
    { padId: 9, packing: false },
  );
  assert.deepEqual([...batch.inputIds], [11, 12, 13, 9, 21, 22, 9, 9]);
  assert.deepEqual([...batch.labels], [-100, 13, -100, -100, 22, -100, -100, -100]);
  assert.deepEqual([...batch.positions], [0, 1, 2, 0, 0, 1, 0, 0]);
  assert.deepEqual([...batch.lengths], [3, 2]);
  assert.equal(batch.segments, undefined);
  assert.deepEqual([batch.tokens, batch.trainedTokens], [5, 2]);
});

test("packed examples keep to themselves", () => {
  const batch = causalBatch(
    examples,
    { rows: [[0, 1]], sequenceLength: 6 },
    { padId: 9, packing: true },
  );
  assert.deepEqual([...batch.inputIds], [11, 12, 13, 21, 22, 9]);
  assert.deepEqual([...batch.labels], [-100, 13, -100, 22, -100, -100]);
  assert.deepEqual([...batch.positions], [0, 1, 2, 0, 1, 0]);
  assert.deepEqual([...(batch.segments ?? [])], [0, 0, 0, 1, 1, -1]);
});

test("packing never mixes examples: segments, positions and labels tell of one each", () => {
  const all = numberedExamples(randomLengths(150, 40, 11));
  const ownerOf = (id: number): number => all.starts.findLastIndex((start) => start <= id - 1000);
  const plan = planBatches(all, {
    batchSize: 4,
    microBatchSize: 2,
    packing: true,
    maxLength: 48,
    shuffle: true,
    groupByLength: false,
    seed: 3,
  });
  let tokens = 0;
  for (let step = 0; step < plan.stepsPerEpoch; step += 1)
    for (const micro of plan.step(step)) {
      const batch = causalBatch(all, micro, { padId: 0, packing: true });
      tokens += batch.tokens;
      batch.inputIds.forEach((id, place) => {
        const row = Math.floor(place / batch.sequenceLength);
        const segment = batch.segments?.[place] ?? -2;
        const label = batch.labels[place] ?? 0;
        if (id === 0) {
          assert.deepEqual([segment, label], [-1, -100]);
          return;
        }
        const owner = ownerOf(id);
        assert.equal(batch.rows[row]?.[segment], owner);
        assert.equal(batch.positions[place], id - 1000 - (all.starts[owner] ?? 0));
        if (label !== -100) {
          assert.equal(label, id + 1);
          assert.equal(ownerOf(label), owner);
        }
        const next = id + 1 < 1000 + (all.starts[owner + 1] ?? 0);
        assert.equal(label !== -100, next && (id + 1) % 3 !== 0);
      });
    }
  assert.equal(tokens, plan.tokensPerEpoch);
});

test("labelled rows carry mask, types and targets", () => {
  const labelled = exampleStore({ typeIds: true, labels: true });
  labelled.add({ ids: [1, 2, 3], trained: [0, 0, 0], typeIds: [0, 0, 1], row: 0, label: 2 });
  labelled.add({ ids: [4], trained: [0], typeIds: [0], row: 1, label: 0.5 });
  const batch = labelledBatch(
    labelled.finish(),
    { rows: [[1], [0]], sequenceLength: 4 },
    { padId: 7 },
  );
  assert.deepEqual([...batch.inputIds], [4, 7, 7, 7, 1, 2, 3, 7]);
  assert.deepEqual([...batch.attentionMask], [1, 0, 0, 0, 1, 1, 1, 0]);
  assert.deepEqual([...batch.typeIds], [0, 0, 0, 0, 0, 0, 1, 0]);
  assert.deepEqual([...batch.targets], [0.5, 2]);
  assert.deepEqual([...batch.lengths], [1, 3]);
});

test("the store keeps every example while it grows", () => {
  const many = numberedExamples(randomLengths(5000, 30, 2));
  assert.equal(many.count, 5000);
  assert.equal(many.ids.length, many.starts[5000]);
  assert.ok(many.ids.every((id, index) => id === 1000 + index));
  assert.equal(many.rows.length, 5000);
  assert.ok(many.rows.every((row, index) => row === index));
});
