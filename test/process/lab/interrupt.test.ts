/** @file An interrupt leaves finished results usable, and the next call goes on from them. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { it } from "node:test";
import { temporaryPath } from "../../../src/engine/runs/atomic.ts";
import { isRecord } from "../../../src/shared/wire.ts";
import { lastLine, spectune, startSpectune } from "../../support/command-line.ts";
import type { Tensors } from "../../unit/engine/lab/folders.ts";
import { matrix, writeAdapter, writeModel } from "../../unit/engine/lab/folders.ts";
import { scratch } from "../../unit/engine/runs/scratch.ts";
import { list, plus } from "./small-models.ts";

const count = 12;

function model(tuned: boolean): Tensors {
  return Object.fromEntries(
    Array.from({ length: count }, (_, layer) => {
      const W = matrix(256, 192, layer + 1);
      const [B, A] = [matrix(256, 1, 50 + layer), matrix(1, 192, 80 + layer)];
      return [`layers.${layer}.fc1.weight`, tuned ? plus(W, B, A, 0.4) : W];
    }),
  );
}

for (const command of ["spectra", "intruders", "mitigate"] as const)
  it(`${command} goes on where it was interrupted`, async (t) => {
    const folder = scratch(t);
    mkdirSync(join(folder, ".git"));
    await writeModel(join(folder, "base"), model(false));
    await writeModel(join(folder, "tuned"), model(true));
    const args = [
      command,
      "base",
      "--tuned",
      "tuned",
      ...(command === "spectra" ? [] : ["--exact"]),
      ...(command === "mitigate" ? ["--keep", "0.5", "--out", "made"] : []),
    ];
    const analysis = join(folder, ".spectune", "analysis", "base--tuned");
    const { process: child, end } = startSpectune(t, folder, ...args);
    // As soon as the first matrix is kept.
    while (child.exitCode === null && !journalOf(analysis).includes("\n")) await setTimeout(20);
    child.kill("SIGINT");
    const outcome = await end;
    assert.equal(outcome.code, 130, outcome.err);
    const [, done, all, file] =
      /Stopped after (\d+) of (\d+) matrices; (\S+\.json) holds them/.exec(outcome.err) ?? [];
    assert.equal(Number(all), count);
    const before = kept(file);
    assert.equal(before["complete"], false);
    const finished = list(before["matrices"]);
    assert.equal(finished.length, Number(done));
    assert(finished.length > 0 && finished.length < count, done);
    assert(!existsSync(join(folder, "made")));

    const again = await spectune(folder, ...args);
    assert.equal(again.code, 0, again.err);
    const said = new RegExp(`\\(${done} of ${count} matrices from an earlier call\\)`);
    if (command !== "mitigate") assert.match(again.out, said);
    else assert(existsSync(join(folder, "made", "control-neighbour")));
    const after = kept(file);
    assert.equal(after["complete"], true);
    assert.deepEqual(list(after["matrices"]).slice(0, Number(done)), finished);
    assert.equal(list(after["matrices"]).length, count);
    assert(!readdirSync(analysis).some((name) => name.includes("journal")));
    if (command === "mitigate") return;

    // Another base has other results, whatever its folder is called.
    await writeModel(join(folder, "tuned"), model(false));
    const other = await spectune(folder, ...args);
    assert.doesNotMatch(other.out, /from an earlier call/);
  });

it("two calls at once do not write one file, and a killed one is gone on with", async (t) => {
  const folder = scratch(t);
  mkdirSync(join(folder, ".git"));
  await writeModel(join(folder, "base"), model(false));
  await writeModel(join(folder, "tuned"), model(true));
  const args = ["intruders", "base", "--tuned", "tuned", "--exact", "--json"];
  const analysis = join(folder, ".spectune", "analysis", "base--tuned");
  const { process: child, end } = startSpectune(t, folder, ...args);
  while (child.exitCode === null && !journalOf(analysis).includes("\n")) await setTimeout(20);
  const second = await spectune(folder, ...args);
  child.kill("SIGKILL");
  assert.equal((await end).code, "SIGKILL");
  assert.equal(second.code, 2);
  assert.match(second.err, /is making \S+\.json at this moment[^]*analysis-in-use/);
  const again = await spectune(folder, ...args);
  assert.equal(again.code, 0, again.err);
  assert.equal(list(lastLine(again)["matrices"]).length, count);
  const left = readdirSync(analysis).filter((name) => !/\.(json|safetensors|html)$/.test(name));
  assert.deepEqual(left, []);
});

function journalOf(folder: string): string {
  const name = (existsSync(folder) ? readdirSync(folder) : []).find((one) =>
    one.includes("journal"),
  );
  return name === undefined ? "" : readFileSync(join(folder, name), "utf8");
}

function kept(file = ""): Readonly<Record<string, unknown>> {
  const json: unknown = JSON.parse(readFileSync(file, "utf8"));
  assert(isRecord(json));
  return json;
}

it("mitigate goes on to measure a result that was written", async (t) => {
  const folder = scratch(t);
  mkdirSync(join(folder, ".git"));
  await writeModel(join(folder, "base"), model(false));
  await writeModel(join(folder, "tuned"), model(true));
  const args = "mitigate base --tuned tuned --out made --matrices layers.0".split(" ");
  // As a killed call leaves it.
  const left = temporaryPath(join(folder, "made")).replace(/-\d+-([0-9a-f]+)$/, "-1-$1");
  mkdirSync(left);
  const first = await spectune(folder, ...args, "--keep", "0.5");
  assert.equal(first.code, 0, first.err);
  if (process.platform === "linux") assert(!existsSync(left));
  const file = join(folder, "made", "mitigation.json");
  const weights = join(folder, "made", "model.safetensors");
  const bytes = readFileSync(weights);
  const whole = kept(file);
  assert.equal(whole["complete"], true);
  const refused = await spectune(folder, ...args, "--keep", "0.5");
  assert.match(refused.err, /output-exists/);

  // As an interrupt in the midst of measuring leaves it.
  writeFileSync(file, JSON.stringify({ ...whole, complete: false, measured: [] }));
  const other = await spectune(folder, ...args, "--keep", "0.25");
  assert.match(other.err, /output-exists/);
  const again = await spectune(folder, ...args, "--keep", "0.5");
  assert.equal(again.code, 0, again.err);
  const { time, ...rest } = kept(file);
  assert.equal(time, whole["time"]);
  assert.deepEqual(rest["matrices"], whole["matrices"]);
  assert.equal(rest["complete"], true);
  assert.deepEqual(readFileSync(weights), bytes);
});

it("diff goes on where it was interrupted", async (t) => {
  const folder = scratch(t);
  mkdirSync(join(folder, ".git"));
  const many = 40;
  const adapter = (seed: number): Tensors =>
    Object.fromEntries(
      Array.from({ length: many }, (_, layer) => {
        const module = `base_model.model.layers.${layer}.fc1`;
        return [
          [`${module}.lora_A.weight`, matrix(48, 640, seed + layer)],
          [`${module}.lora_B.weight`, matrix(768, 48, seed + 100 + layer)],
        ] as const;
      }).flat(),
    );
  await writeAdapter(join(folder, "a"), { r: 48 }, adapter(1));
  await writeAdapter(join(folder, "b"), { r: 48 }, adapter(300));
  const analysis = join(folder, ".spectune", "analysis", "a--b");
  const { process: child, end } = startSpectune(t, folder, "diff", "a", "b");
  while (child.exitCode === null && !journalOf(analysis).includes("\n")) await setTimeout(5);
  child.kill("SIGINT");
  const outcome = await end;
  assert.equal(outcome.code, 130, outcome.err);
  const [, done, file] =
    /Stopped after (\d+) of 40 matrices; (\S+\.json) holds/.exec(outcome.err) ?? [];
  const before = kept(file);
  assert.deepEqual([before["complete"], list(before["matrices"]).length], [false, Number(done)]);
  const again = await spectune(folder, "diff", "a", "b");
  assert.equal(again.code, 0, again.err);
  assert.match(again.out, new RegExp(`\\(${done} of 40 matrices from an earlier call\\)`));
  const after = kept(file);
  assert.equal(after["complete"], true);
  assert.deepEqual(list(after["matrices"]).slice(0, Number(done)), list(before["matrices"]));
});
