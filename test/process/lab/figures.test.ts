/** @file Counts over ε, k, runs and controls, and the arrays beside an analysis file. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, it } from "node:test";
import { readArray } from "../../../src/cli/workbench/tensors.ts";
import { at } from "../../../src/shared/errors.ts";
import { isRecord } from "../../../src/shared/wire.ts";
import { runsOf, spectune } from "../../support/command-line.ts";
import { makeWorkspace, tinyExperiment } from "../../support/workspace.ts";
import { matrix, writeAdapter, writeModel } from "../../unit/engine/lab/folders.ts";
import { asked, base, list, moduleOf, names, numbersOf, plus, workspace } from "./small-models.ts";

const planted = { B: matrix(192, 1, 20), A: matrix(1, 192, 21) };
const factors = {
  [`${moduleOf(names.q)}.lora_A.weight`]: planted.A,
  [`${moduleOf(names.q)}.lora_B.weight`]: planted.B,
};
const config = { r: 1, lora_alpha: 0.4 };

function document(json: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const file: unknown = json["file"];
  assert(typeof file === "string");
  const read: unknown = JSON.parse(readFileSync(file, "utf8"));
  assert(isRecord(read));
  return { ...read, file };
}

describe("an analysis file of intruders", () => {
  it("has the cosines of each vector with the base, whose maximum is the official number", async (t) => {
    const folder = await workspace(t);
    await writeAdapter(join(folder, "adapter"), config, factors);
    const args = ["intruders", "base", "--adapter", "adapter", "--exact"];
    const { file, matrices } = document(await asked(folder, ...args));
    const [record] = list(matrices);
    assert.deepEqual(record?.["cosines"], [10, 192]);
    const { shape, values } = await readArray(String(file), `cosines/${names.q}`);
    assert.deepEqual(shape, [10, 192]);
    for (const [j, vector] of list(record["vectors"]).entries()) {
      const row = values.subarray(192 * j, 192 * (j + 1));
      assert(Math.abs(Math.max(...row) - Number(vector["official"])) < 1e-6);
      assert(Math.abs(Math.hypot(...row) - 1) < 1e-6);
    }
    // Of a finished analysis nothing is computed again, and its arrays stay.
    const again = await spectune(folder, ...args);
    assert.match(again.out, /1 of 1 matrices from an earlier call/);
    assert.equal((await readArray(String(file), `cosines/${names.q}`)).values.length, 1920);
  });

  it("counts over a grid of ε and k, also as a share", async (t) => {
    const folder = await workspace(t);
    await writeAdapter(join(folder, "adapter"), config, factors);
    const args = ["intruders", "base", "--adapter", "adapter", "--exact", "--top", "10%"];
    const { counts, total } = document(await asked(folder, ...args));
    assert(isRecord(counts));
    const [epsilons, certain] = [numbersOf(counts["epsilons"]), counts["certain"]];
    const ks: unknown = counts["ks"];
    assert(Array.isArray(certain) && Array.isArray(ks));
    assert.deepEqual(
      ks,
      [1, 2, 5, 10, 20, 0.01, 0.02, 0.05, 0.1].map((k) => (k < 1 ? { share: k } : k)),
    );
    assert.deepEqual(numbersOf(counts["vectors"]), [1, 2, 5, 10, 20, 2, 4, 10, 20]);
    const half = numbersOf(certain[epsilons.indexOf(0.5)]);
    assert.equal(half[4], total);
    assert.deepEqual(half.slice(0, 2), [1, 1]);
    for (const [i, row] of certain.entries())
      for (const [j, count] of numbersOf(row).entries())
        assert(i === 0 || count >= at(numbersOf(certain[i - 1]), j));
  });

  it("has the counts of controls: random, turned, a full fine-tuning, quantization", async (t) => {
    const folder = await workspace(t);
    await writeAdapter(join(folder, "adapter"), config, factors);
    const W = base[names.q] ?? planted.B;
    const full = { ...base, [names.q]: plus(W, matrix(192, 1, 30), matrix(1, 192, 31), 0.1) };
    await writeModel(join(folder, "full"), full);
    const args = ["intruders", "base", "--adapter", "adapter", "--controls", "2"];
    const more = ["--full", "full", "--quantized", "nf4"];
    const { matrices } = document(await asked(folder, ...args, ...more));
    const controls = list(list(matrices)[0]?.["controls"]);
    assert.deepEqual(
      controls.map(({ kind, draws }) => [kind, list(draws).length]),
      [
        ["random", 2],
        ["rotated", 2],
        ["full", 1],
        ["quantization", 1],
      ],
    );
    // One direction of the planted one's strength is one intruder, whichever way it points; NF4 makes none.
    assert.deepEqual(
      controls.map(({ draws }) => list(draws)[0]?.["count"]),
      [1, 1, 1, 0],
    );
    const shown = await spectune(folder, ...args, ...more);
    assert.match(shown.out, /control: ΔW with its left directions turned at random: 1 \(mean of 2/);
    const odd = await spectune(folder, ...args.slice(0, -1), "many");
    assert.match(odd.err, /--controls takes a whole number from 0 to 100, not many/);
  });
});

describe("intruders --run SWEEP", () => {
  it("looks at every run, and tells means over seeds for each configuration", async (t) => {
    const sweep = `${tinyExperiment}sweep:
  grid: { train.learning_rate: [0.01, 1.0] }
  seeds: [0, 1]
`;
    const folder = makeWorkspace(t, sweep);
    mkdirSync(join(folder, ".spectune"), { recursive: true });
    assert.equal((await spectune(folder, "run", "a.peft.yaml")).code, 0);
    const json = await asked(folder, "intruders", "--run", "a", "--threshold", "0.7");
    const [runs, groups] = [list(json["runs"]), list(json["groups"])];
    assert.equal(runs.length, 4);
    assert.deepEqual(
      runs.map(({ run }) => basename(String(run))).toSorted(),
      runsOf(folder).map((run) => basename(run)),
    );
    assert.equal(groups.length, 2);
    for (const { label, seeds, intruders } of groups) {
      assert(isRecord(intruders));
      const own = runs.filter((run) => run["label"] === label).map(({ total }) => Number(total));
      assert.deepEqual([seeds, own.length], [[0, 1], 2]);
      assert.equal(intruders["mean"], (at(own, 0) + at(own, 1)) / 2);
    }
    assert.equal(numbersOf(json["matrices"]).length, 14);
    const shown = await spectune(folder, "intruders", "--run", "a", "--threshold", "0.7");
    assert.match(shown.out, /of the 14 matrices that every run has; ± is half the 95 % interval/);
    // One run is mitigated, and not the first of many without a word.
    const mitigated = await spectune(folder, "mitigate", "--run", "a", "--out", "less");
    assert.equal(mitigated.code, 2);
    assert.match(mitigated.err, /--run names a sweep: give one of its runs/);
  });

  it("refuses runs on several bases, and says which", async (t) => {
    const sweep = `${tinyExperiment}sweep: { grid: { quantization: [null, { type: nf4, block_size: 32 }] } }\n`;
    const folder = makeWorkspace(t, sweep);
    mkdirSync(join(folder, ".spectune"), { recursive: true });
    assert.equal((await spectune(folder, "run", "a.peft.yaml")).code, 0);
    const refused = await spectune(folder, "intruders", "--run", "a");
    assert.equal(refused.code, 2);
    assert.match(
      refused.err,
      /several bases: \S+model and \S+model in \{ .*type: nf4, block_size: 32, double_quant: true \}\./,
    );
  });
});
