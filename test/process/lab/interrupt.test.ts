/** @file An interrupt leaves finished results usable, and the next call goes on from them. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { it } from "node:test";
import { isRecord } from "../../../src/shared/wire.ts";
import { spectune, startSpectune } from "../../support/command-line.ts";
import type { Tensors } from "../../unit/engine/lab/folders.ts";
import { matrix, writeModel } from "../../unit/engine/lab/folders.ts";
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

for (const command of ["spectra", "intruders"] as const)
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

    const again = await spectune(folder, ...args);
    assert.equal(again.code, 0, again.err);
    assert.match(again.out, new RegExp(`\\(${done} of ${count} matrices from an earlier call\\)`));
    const after = kept(file);
    assert.equal(after["complete"], true);
    assert.deepEqual(list(after["matrices"]).slice(0, Number(done)), finished);
    assert.equal(list(after["matrices"]).length, count);
    assert(!readdirSync(analysis).some((name) => name.includes("journal")));

    // Another base has other results, whatever its folder is called.
    await writeModel(join(folder, "tuned"), model(false));
    const other = await spectune(folder, ...args);
    assert.doesNotMatch(other.out, /from an earlier call/);
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
