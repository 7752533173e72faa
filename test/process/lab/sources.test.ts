/** @file Every kind of source through the commands: each shows the spectra of the weights that its own definition merges to. */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, it } from "node:test";
import type { Data, Matrix } from "../../../kernels/linalg/index.ts";
import { createLinalg } from "../../../kernels/linalg/index.ts";
import { kernelBytes } from "../../../src/engine/runtime/kernels.ts";
import { at, invariant } from "../../../src/shared/errors.ts";
import { isRecord } from "../../../src/shared/wire.ts";
import { runsOf, spectune } from "../../support/command-line.ts";
import { makeWorkspace, tinyExperiment } from "../../support/workspace.ts";
import { matrix, writeAdapter, writeModel } from "../../unit/engine/lab/folders.ts";
import { asked, base, list, moduleOf, names, numbersOf, plus, workspace } from "./small-models.ts";

const W = base[names.up] ?? matrix(64, 40, 2);
const A = matrix(4, 40, 11);
const B = matrix(64, 4, 12);
const pair = {
  [`${moduleOf(names.up)}.lora_A.weight`]: A,
  [`${moduleOf(names.up)}.lora_B.weight`]: B,
};

/** Singular values of the tuned up_proj as the command tells them. */
async function tunedSigma(folder: string, ...side: readonly string[]): Promise<readonly number[]> {
  const json = await asked(folder, "spectra", "base", ...side, "--matrices", "up_proj");
  const [record] = list(list(json["sides"])[0]?.["matrices"]);
  const tuned = record?.["tuned"];
  assert(isRecord(tuned), JSON.stringify(json));
  return numbersOf(tuned["sigma"]);
}

async function mergesTo(
  folder: string,
  adapter: string,
  merged: Matrix<Float32Array>,
): Promise<void> {
  await writeModel(join(folder, `${adapter}-merged`), { ...base, [names.up]: merged });
  const expected = await tunedSigma(folder, "--tuned", `${adapter}-merged`);
  const found = await tunedSigma(folder, "--adapter", adapter);
  assert.equal(found.length, expected.length);
  for (const [i, value] of found.entries()) {
    const right = at(expected, i);
    assert(Math.abs(value - right) < 2e-6 * at(expected, 0), `${adapter}: ${value}, not ${right}`);
  }
}

describe("an adapter of peft", () => {
  it("is taken with its ranks, its scales and its magnitudes", async (t) => {
    const folder = await workspace(t);
    const config = { r: 8, lora_alpha: 2, target_modules: ["up_proj"] };
    const rank = { ...config, rank_pattern: { up_proj: 4 } };
    await writeAdapter(join(folder, "ranked"), rank, pair);
    await mergesTo(folder, "ranked", plus(W, B, A, 2 / 4));

    const alphas = { ...rank, alpha_pattern: { "layers.0.mlp.up_proj": 1 } };
    await writeAdapter(join(folder, "alphas"), alphas, pair);
    await mergesTo(folder, "alphas", plus(W, B, A, 1 / 4));

    await writeAdapter(join(folder, "rslora"), { ...rank, use_rslora: true }, pair);
    await mergesTo(folder, "rslora", plus(W, B, A, 2 / Math.sqrt(4)));

    const m = matrix(64, 1, 13);
    const magnitude = { [`${moduleOf(names.up)}.lora_magnitude_vector.weight`]: m };
    await writeAdapter(
      join(folder, "dora"),
      { ...rank, use_dora: true },
      { ...pair, ...magnitude },
    );
    const sum = plus(W, B, A, 2 / 4);
    const scaled = sum.data.map((value, i) => {
      const row = Math.floor(i / 40);
      return (at(m.data, row) * value) / Math.hypot(...sum.data.subarray(40 * row, 40 * row + 40));
    });
    await mergesTo(folder, "dora", { ...sum, data: scaled });
  });

  it("of PiSSA counts against its residual base: untrained it changes nothing", async (t) => {
    const folder = await workspace(t);
    const { U, sigma, Vt } = await createLinalg(kernelBytes("linalg")).svd(W);
    const scale = 2 / 4;
    // As peft starts: B A = U Σ Vᵀ / scale, √Σ on either side.
    const root = (k: number): number => Math.sqrt(at(sigma, k) / scale);
    const start = {
      B: made(64, 4, (i, k) => at(U.data, i * U.columns + k) * root(k)),
      A: made(4, 40, (k, j) => at(Vt.data, k * Vt.columns + j) * root(k)),
    };
    const config = { r: 4, lora_alpha: 2, target_modules: ["up_proj"], init_lora_weights: "pissa" };
    const tensors = (b: Matrix<Float32Array>) => ({
      [`${moduleOf(names.up)}.lora_A.weight`]: start.A,
      [`${moduleOf(names.up)}.lora_B.weight`]: b,
    });
    await writeAdapter(join(folder, "pissa"), config, tensors(start.B));
    await mergesTo(folder, "pissa", W);
    const { total } = await asked(folder, "intruders", "base", "--adapter", "pissa");
    assert.equal(total, 0);
    const trained = plus(start.B, matrix(64, 1, 14), matrix(1, 4, 15), 0.5);
    await writeAdapter(join(folder, "trained"), config, tensors(trained));
    const rest = plus(W, start.B, start.A, -scale);
    await mergesTo(folder, "trained", plus(rest, trained, start.A, scale));
    const told = await spectune(folder, "spectra", "base", "--adapter", "trained");
    assert.match(told.err, /init_lora_weights: pissa[^]*taken off the update/);
  });
});

describe("the checkpoints of a Trainer", () => {
  it("are looked at in the order of their steps, adapters and models, with the log in the report", async (t) => {
    const folder = await workspace(t);
    const out = join(folder, "outputs");
    mkdirSync(out);
    for (const [step, scale] of [
      [100, 4],
      [20, 0.01],
    ] as const) {
      const config = { r: 4, lora_alpha: 4 * scale, target_modules: ["up_proj"] };
      await writeAdapter(join(out, `checkpoint-${step}`), config, pair);
    }
    const log = [
      { step: 20, loss: 2.5 },
      { step: 100, loss: 1.25, eval_loss: 1.5 },
    ];
    writeFileSync(
      join(out, "checkpoint-100", "trainer_state.json"),
      JSON.stringify({ log_history: log }),
    );
    const args = ["intruders", "base", "--checkpoints", "outputs", "--report", "report.html"];
    const json = await asked(folder, ...args);
    const checkpoints = list(json["checkpoints"]);
    assert.deepEqual(
      checkpoints.map(({ step }) => step),
      [20, 100],
    );
    assert.equal(checkpoints[0]?.["total"], 0);
    assert(Number(checkpoints[1]?.["total"]) > 0);
    assert.equal(json["total"], checkpoints[1]?.["total"]);
    const files = checkpoints.map(({ file }) => (typeof file === "string" ? basename(file) : ""));
    assert.match(files.join(), /^intruders-step-20-[^,]*,intruders-step-100-/);

    const whole = join(folder, "full");
    await writeModel(join(whole, "checkpoint-5"), { ...base, [names.up]: plus(W, B, A, 4) });
    const models = await asked(folder, "intruders", "base", "--checkpoints", "full");
    assert.equal(models["total"], json["total"]);
  });
});

describe("a run of ours", () => {
  it("shows its adapter, and each of its checkpoints", async (t) => {
    const every = "checkpoints: { every: 1 steps, keep: 9 }\n";
    const fast = tinyExperiment.replace("1.0e-2", "0.3");
    const folder = makeWorkspace(t, `${fast}${every}`);
    assert.equal((await spectune(folder, "run", "a.peft.yaml")).code, 0);
    const [run = ""] = runsOf(folder);
    const own = await asked(folder, "intruders", "--run", basename(run));
    assert(String(own["file"]).startsWith(join(run, "analysis")), String(own["file"]));
    const adapter = ["intruders", "model", "--adapter", join(run, "adapter")];
    const same = await asked(folder, ...adapter);
    assert.deepEqual(own["matrices"], same["matrices"]);
    const all = await asked(folder, "intruders", "--checkpoints", run);
    const checkpoints = list(all["checkpoints"]);
    assert.deepEqual(
      checkpoints.map(({ step }) => step),
      [1, 2],
    );
    const last = list(checkpoints.at(-1)?.["matrices"]);
    const expected = list(own["matrices"]);
    assert.deepEqual(
      last.map(({ name, count }) => [name, count]),
      expected.map(({ name, count }) => [name, count]),
    );
    // Its folder means its adapter, which the last checkpoint is.
    const diff = await asked(folder, "diff", run, join(run, "checkpoints", "step-2"));
    const cosines = list(diff["matrices"]).map(({ cosine }) => Number(cosine));
    assert(cosines.length > 0 && cosines.every((cosine) => cosine > 1 - 1e-6), String(cosines));
    const steps = ["step-1", "step-2"].map((step) => join(run, "checkpoints", step));
    const between = list((await asked(folder, "diff", ...steps))["matrices"]);
    assert(between.some(({ cosine }) => Number(cosine) < 1 - 1e-6));
  });

  it("of full fine-tuning is its merged folder", async (t) => {
    const folder = makeWorkspace(t, tinyExperiment);
    const run = ["run", "a.peft.yaml", "--set", "method=full"];
    assert.equal((await spectune(folder, ...run)).code, 0);
    const [made = ""] = runsOf(folder);
    const own = await asked(folder, "spectra", "--run", made, "--matrices", "q_proj");
    const merged = join(made, "merged");
    const pairOf = await asked(
      folder,
      "spectra",
      "model",
      "--tuned",
      merged,
      "--matrices",
      "q_proj",
    );
    const of = (json: typeof own): unknown => list(json["sides"])[0]?.["matrices"];
    assert.deepEqual(of(own), of(pairOf));
  });
});

function made(
  rows: number,
  columns: number,
  value: (row: number, column: number) => number,
): Matrix<Float32Array> {
  const data = Float32Array.from({ length: rows * columns }, (_, i) =>
    value(Math.floor(i / columns), i % columns),
  );
  invariant(data.length > 0, "a matrix has elements");
  return { rows, columns, data } satisfies Matrix<Data>;
}
