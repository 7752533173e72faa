/** @file Steps: every example once in an epoch, the same after a resume, padded little. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  planBatches,
  type BatchOptions,
  type BatchPlan,
} from "../../../../../src/engine/data/batches/batch-plan.ts";
import { numberedExamples, randomLengths } from "./random.ts";

const options: BatchOptions = {
  batchSize: 8,
  microBatchSize: 3,
  packing: false,
  maxLength: 64,
  shuffle: true,
  groupByLength: false,
  seed: 1,
};
const lengths = randomLengths(203, 64, 5);
const examples = numberedExamples(lengths);
const kinds: readonly Partial<BatchOptions>[] = [
  {},
  { packing: true },
  { groupByLength: true },
  { groupByLength: true, packing: true },
  { shuffle: false, groupByLength: true },
];

/** Examples of steps `[from, to)`. */
const seen = (plan: BatchPlan, from: number, to: number): readonly number[] =>
  Array.from({ length: to - from }, (_, index) => plan.step(from + index)).flatMap((step) =>
    step.flatMap(({ rows }) => rows.flat()),
  );

for (const kind of kinds) {
  const plan = planBatches(examples, { ...options, ...kind });
  const each = Array.from({ length: lengths.length }, (_, index) => index);
  const name = JSON.stringify(kind);

  test(`${name}: every example exactly once in each epoch`, () => {
    for (const epoch of [0, 1, 5]) {
      const start = epoch * plan.stepsPerEpoch;
      const order = seen(plan, start, start + plan.stepsPerEpoch);
      assert.deepEqual(
        order.toSorted((a, b) => a - b),
        each,
      );
    }
    assert.equal(plan.stepsPerEpoch, Math.ceil(plan.rows / 8));
    assert.equal(
      plan.tokensPerEpoch,
      lengths.reduce((sum, length) => sum + length, 0),
    );
  });

  test(`${name}: a run resumed at any step sees what it would have seen`, () => {
    const end = 3 * plan.stepsPerEpoch;
    const whole = Array.from({ length: end }, (_, step) => plan.step(step));
    for (const at of [1, plan.stepsPerEpoch - 1, plan.stepsPerEpoch, plan.stepsPerEpoch + 2]) {
      const resumed = planBatches(examples, { ...options, ...kind });
      for (let step = at; step < end; step += 1) assert.deepEqual(resumed.step(step), whole[step]);
    }
  });

  test(`${name}: micro-batches are of the declared sizes and lengths`, () => {
    for (let step = 0; step < plan.stepsPerEpoch; step += 1) {
      const micro = plan.step(step);
      const rows = micro.reduce((sum, batch) => sum + batch.rows.length, 0);
      assert.ok(step === plan.stepsPerEpoch - 1 ? rows <= 8 : rows === 8);
      for (const { rows: members, sequenceLength } of micro) {
        assert.ok(members.length <= 3 && plan.buckets.includes(sequenceLength));
        const longest = Math.max(
          ...members.map((row) => row.reduce((sum, example) => sum + (lengths[example] ?? 0), 0)),
        );
        const bucket = plan.buckets.find((size) => size >= longest);
        assert.equal(sequenceLength, bucket, "padded no further than to the next bucket");
      }
    }
    assert.ok(plan.buckets.length <= 4);
  });
}

test("epochs and seeds have orders of their own; without shuffling there is one", () => {
  const order = (changes: Partial<BatchOptions>, epoch: number): string => {
    const plan = planBatches(examples, { ...options, microBatchSize: 8, ...changes });
    return seen(plan, epoch * plan.stepsPerEpoch, (epoch + 1) * plan.stepsPerEpoch).join();
  };
  assert.notEqual(order({}, 0), order({}, 1));
  assert.notEqual(order({}, 0), order({ seed: 2 }, 0));
  assert.equal(order({ shuffle: false }, 0), order({ shuffle: false }, 3));
});

test("grouping by length pads less", () => {
  const long = numberedExamples(randomLengths(4000, 64, 9));
  const padding = (groupByLength: boolean): number => {
    const plan = planBatches(long, { ...options, microBatchSize: 8, groupByLength });
    let total = 0;
    for (let step = 0; step < plan.stepsPerEpoch; step += 1)
      for (const { rows, sequenceLength } of plan.step(step)) total += rows.length * sequenceLength;
    return total / plan.tokensPerEpoch;
  };
  assert.ok(
    padding(true) < 1.3 && padding(true) < padding(false) - 0.2,
    `${padding(true)} ${padding(false)}`,
  );
});

test("batches grouped by length do not run from long to short", () => {
  const long = numberedExamples(randomLengths(400, 64, 9));
  const plan = planBatches(long, { ...options, microBatchSize: 8, groupByLength: true });
  const sizes = Array.from({ length: 12 }, (_, step) => plan.step(step)[0]?.sequenceLength ?? 0);
  assert.notDeepEqual(
    sizes,
    sizes.toSorted((a, b) => b - a),
  );
});

test("a subset is all that is seen", () => {
  const plan = planBatches(examples, { ...options, subset: Uint32Array.of(9, 4, 7) });
  assert.deepEqual(
    seen(plan, 0, 1).toSorted((a, b) => a - b),
    [4, 7, 9],
  );
  assert.equal(plan.stepsPerEpoch, 1);
});
