/** @file What is shown of a run: the highest attempt of each step, and the numbers drawn from it. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { EventBody, RunEvent } from "../../../src/shared/protocol.ts";
import { createRunFold, foldRun } from "../../../src/shared/run-view.ts";

const stamped = (attempt: number, ...bodies: readonly EventBody[]): readonly RunEvent[] =>
  bodies.map((body) => ({ attempt, time: 0, ...body }));

function started(resumedFrom?: number): EventBody {
  return {
    type: "started",
    run: "r",
    host: "h",
    pid: 1,
    platform: "p",
    versions: {},
    device: { requested: "auto", chosen: "cpu", reason: "" },
    plan: { trainableParameters: 1, totalParameters: 2, peakMemoryBytes: 3, steps: 10 },
    ...(resumedFrom === undefined ? {} : { resumedFrom }),
  };
}

const step = (step: number, loss: number, seconds = 2): EventBody => ({
  type: "step",
  step,
  epoch: step / 10,
  loss,
  lr: 0.1,
  tokens: 100,
  tokensPerSecond: 100 / seconds,
  seconds,
  memoryBytes: 1000 + step,
});
const checkpoint = (step: number): EventBody => ({
  type: "checkpoint",
  step,
  folder: `checkpoints/step-${step}`,
  bytes: 1,
  seconds: 1,
  reason: "schedule",
});
const evaluation = (step: number, loss: number): EventBody => ({
  type: "eval",
  split: "eval",
  moment: "during",
  step,
  epoch: 0,
  metrics: { loss },
  examples: 1,
  seconds: 1,
});
const finding: EventBody = {
  type: "finding",
  finding: { code: "c", severity: "info", message: "m" },
};
const summary = {
  status: "finished",
  steps: 4,
  trainableParameters: 1,
  peakMemoryBytes: 1,
  tokensPerSecond: 1,
} as const;

const losses = (events: readonly RunEvent[]) =>
  foldRun(events).steps.map(({ step, loss }) => [step, loss]);

describe("the view of a run", () => {
  const first = stamped(
    1,
    started(),
    finding,
    step(1, 0.1),
    step(2, 0.2),
    evaluation(2, 9),
    checkpoint(2),
    step(3, 0.3),
    evaluation(3, 8),
    step(4, 0.4),
  );

  it("is empty before the first event", () => {
    const view = foldRun([]);
    assert.deepEqual([view.attempt, view.state, view.steps], [0, "created", []]);
    assert.deepEqual([view.tokensPerSecond, view.peakMemoryBytes], [undefined, undefined]);
  });

  it("drops what was done behind the checkpoint as soon as a run resumes", () => {
    const second = stamped(2, started(2), finding);
    const view = foldRun([...first, ...second]);
    assert.deepEqual(
      [view.steps.length, view.evaluations.length, view.checkpoints.length, view.findings.length],
      [2, 1, 1, 1],
    );
    assert.deepEqual([view.attempt, view.state], [2, "running"]);
    assert.deepEqual(losses([...first, ...second, ...stamped(2, step(3, 0.5))]), [
      [1, 0.1],
      [2, 0.2],
      [3, 0.5],
    ]);
  });

  it("begins anew where an attempt has no checkpoint to go on from", () => {
    assert.deepEqual(losses([...first, ...stamped(2, started(), step(1, 0.7))]), [[1, 0.7]]);
  });

  it("takes each step from its highest attempt even without the first line", () => {
    assert.deepEqual(losses([...first, ...stamped(2, step(3, 0.5))]), [
      [1, 0.1],
      [2, 0.2],
      [3, 0.5],
    ]);
  });

  it("passes over what a lower attempt writes later", () => {
    const late = stamped(1, step(4, 0.9), { type: "ended", summary });
    assert.deepEqual(foldRun([...first, ...stamped(2, started(2)), ...late]).state, "running");
  });

  it("shows an evaluation that was repeated once", () => {
    const again = stamped(2, started(2), evaluation(2, 7));
    assert.deepEqual(
      foldRun([...first, ...again]).evaluations.map(({ metrics }) => metrics),
      [{ loss: 7 }],
    );
  });

  it("gives the pace, the peak and the time left", () => {
    const view = foldRun([...first, ...stamped(1, step(5, 0.5, 20))]);
    assert.equal(view.tokensPerSecond, 500 / 28);
    assert.equal(view.peakMemoryBytes, 1005);
    assert.equal(view.secondsLeft, 5 * 2);
    const ended = foldRun([...first, ...stamped(1, { type: "ended", summary })]);
    assert.deepEqual(
      [ended.state, ended.summary, ended.secondsLeft],
      ["finished", summary, undefined],
    );
  });

  it("is a value: later events do not change a view that was taken", () => {
    const fold = createRunFold();
    first.forEach(fold.add);
    const before = fold.view();
    const copy = structuredClone(before);
    stamped(2, started(2), step(3, 1)).forEach(fold.add);
    assert.deepEqual(before, copy);
  });
});
