/** @file Counts over checkpoints and over a sweep: the newest document of each counts, and bands stay bands. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { documentsOf } from "../../../../media/analysis/documents.ts";
import type { Found } from "../../../../media/analysis/documents.ts";
import { labelOf, overSweep, overTraining } from "../../../../media/panels/intruders/series.ts";
import type { SideRecord } from "../../../../src/shared/analysis-documents.ts";
import { isProblem, json, parseJson } from "../../../../src/shared/wire.ts";

const say = (text: string, ...values: readonly (string | number)[]): string =>
  values.reduce<string>((said, value, place) => said.replace(`{${place}}`, String(value)), text);

/** A document of one matrix whose vectors have these bounds of their greatest cosine. */
function found(
  modified: number,
  tuned: Partial<SideRecord>,
  bounds: readonly (readonly [number, number])[],
): readonly Found<"intruders">[] {
  const vectors = bounds.map(([lower, upper], index) => ({ index, sigma: 1, lower, upper }));
  const document = {
    version: 1,
    kind: "intruders",
    versions: {},
    time: "2026-01-02T03:04:05Z",
    base: { kind: "model", path: "b" },
    tuned: { kind: "checkpoint", path: "t", ...tuned },
    options: {},
    total: 0,
    matrices: [{ name: "w", noiseFloor: 0.1, vectors }],
  };
  const value = json(parseJson(JSON.stringify(document)), "");
  assert(!isProblem(value));
  return documentsOf([{ file: `${modified}.json`, modified, json: value }], "intruders");
}

describe("counts over training", () => {
  it("go by step, and the newest of a step counts", () => {
    const documents = [
      ...found(1, { step: 20 }, [[0.1, 0.1]]),
      ...found(2, { step: 10 }, [[0.9, 0.9]]),
      ...found(3, { step: 20 }, [
        [0.1, 0.1],
        [0.2, 0.2],
      ]),
    ];
    const [certain, ...others] = overTraining(documents, 0.5, 10, say);
    assert.deepEqual([...(certain?.points.x ?? [])], [10, 20]);
    assert.deepEqual([...(certain?.points.y ?? [])], [0, 2]);
    assert.equal(others.length, 0);
  });

  it("show what is undecided as a second curve, and one checkpoint not at all", () => {
    const one = found(1, { step: 10 }, [[0.4, 0.6]]);
    assert.deepEqual(overTraining(one, 0.5, 10, say), []);
    const [, open] = overTraining([...one, ...found(2, { step: 20 }, [[0.9, 0.9]])], 0.5, 10, say);
    assert.deepEqual([...(open?.points.y ?? [])], [1, 0]);
  });
});

describe("counts over a sweep", () => {
  it("go by configuration, with its runs' own figures", () => {
    const member = (label: string, seed: number, loss: number) => ({
      member: { label, seed, metrics: { "eval.loss": loss } },
    });
    const documents = [
      ...found(1, member("r=2", 0, 1), [[0.1, 0.1]]),
      ...found(2, member("r=2", 1, 3), [
        [0.1, 0.1],
        [0.2, 0.2],
      ]),
      ...found(3, member("r=4", 0, 5), [[0.9, 0.9]]),
    ];
    assert.deepEqual(overSweep(documents, 0.5, 10, say)?.rows, [
      ["r=2", 2, 1.5, 1, 2, 2],
      ["r=4", 1, 0, 0, 0, 5],
    ]);
    assert.equal(overSweep([], 0.5, 10, say), undefined);
    assert.deepEqual(
      documents.map((one) => labelOf(one, say)),
      ["r=2 · seed 0", "r=2 · seed 1", "r=4 · seed 0"],
    );
  });
});
