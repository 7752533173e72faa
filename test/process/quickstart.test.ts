/** @file The quickstart, on a sample with little data: its table, the commands it prints, and how it is stopped. */
import assert from "node:assert/strict";
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { describe, it } from "node:test";
import { runStatus } from "../../src/engine/runs/liveness.ts";
import { at } from "../../src/shared/errors.ts";
import type { Process } from "../support/command-line.ts";
import { lastLine, runsOf, spectune, startSpectune } from "../support/command-line.ts";
import { scratch } from "../unit/engine/runs/scratch.ts";

const source = join(import.meta.dirname, "../../media/sample");

/** A folder with the sample in it, cut to so many training examples and some others. */
function shortSample(t: TestContext, lines: number): string {
  const folder = scratch(t);
  mkdirSync(join(folder, ".git"));
  const sample = join(folder, "sample");
  cpSync(source, sample, { recursive: true });
  const cut = (name: string, count: number): void => {
    const file = join(sample, "data", name);
    const kept = readFileSync(file, "utf8").split("\n").slice(0, count);
    writeFileSync(file, `${kept.join("\n")}\n`);
  };
  cut("train.jsonl", lines);
  for (const name of ["eval.jsonl", "test.jsonl", "general.txt"]) cut(name, 8);
  return folder;
}

/** Every file below a folder, run folders aside. */
function filesOf(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !file.includes(".spectune"))
    .toSorted();
}

/** The words of a command line as a shell takes them. */
function words(line: string): readonly string[] {
  return [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, inner, plain]) => inner ?? plain ?? "");
}

/** Resolves when the process has said it on its standard error, or has ended. */
async function said({ process, end }: Process, what: RegExp): Promise<void> {
  let text = "";
  await Promise.race([
    end,
    new Promise<void>((resolve) =>
      process.stderr?.on("data", (data: Buffer) => {
        text += data.toString();
        if (what.test(text)) resolve();
      }),
    ),
  ]);
}

describe("the quickstart", () => {
  it("tunes in three ways, tells what came of it, and prints commands that work", async (t) => {
    const folder = shortSample(t, 64);
    const before = filesOf(folder);
    const { code, out, err } = await spectune(folder, "quickstart", "sample");
    assert.equal(code, 0, err);
    assert.deepEqual(filesOf(folder), before);
    assert.match(err, /\?\n {2}→ It (?:is|was) [^\n]+\.\n/);
    assert.match(err, /1 of 3 · full fine-tuning[^]*2 of 3 · LoRA[^]*3 of 3 · QLoRA/);
    assert.match(err, /before: 0\.0 % of the 8 answers of eval\.jsonl are right/);

    const runs = runsOf(folder);
    assert.equal(runs.length, 3);
    for (const [index, name] of ["full fine-tuning", "LoRA", "QLoRA (NF4)"].entries()) {
      const row = out.split("\n").find((line) => line.startsWith(`${name}  `)) ?? "";
      const numbers =
        /([\d,]+) +0\.0 % → [\d.]+ % +[\d.]+ % +[\d.]+ → [\d.]+ +[\d.]+ [kM]B +\d+ MB +[\d.]+ s$/;
      assert.match(row, numbers);
      const { state } = await runStatus(at(runs, index), Date.now());
      assert.equal(state, "finished");
    }
    const places = [...out.matchAll(/^ {2}(?:full|LoRA|QLoRA).* (\S+\/(?:merged|adapter))$/gm)];
    assert.equal(places.length, 3);
    for (const [, place = ""] of places) assert.ok(existsSync(join(folder, place)), place);

    const commands = [...out.matchAll(/^ {4}spectune (.*)$/gm)].map(([, line = ""]) => words(line));
    assert.deepEqual(
      commands.map(([name]) => name),
      ["generate", "compare", "plan", "run"],
    );
    for (const command of commands.slice(0, 3)) {
      const outcome = await spectune(folder, ...command);
      assert.equal(outcome.code, 0, `${command.join(" ")}\n${outcome.err}`);
    }
  });

  it("ends at an interrupt with a run that can be gone on with", async (t) => {
    const folder = shortSample(t, 3000);
    const started = startSpectune(t, folder, "quickstart", "sample");
    await said(started, /^step /m);
    started.process.kill("SIGINT");
    const { code, err, out } = await started.end;
    assert.equal(code, 130, err);
    assert.equal(out, "");
    const [run = "", ...others] = runsOf(folder);
    assert.deepEqual(others, []);
    assert.equal((await runStatus(run, Date.now())).state, "stopped");
    const [, command = ""] =
      /^ {2}(?:npm run -s spectune --|spectune) (run --resume .*)$/m.exec(err) ?? [];
    // That it is taken up again is all that is of interest here.
    const resumed = startSpectune(t, folder, ...words(command), "--json");
    await said(resumed, /from step [1-9]/);
    resumed.process.kill("SIGINT");
    const outcome = await resumed.end;
    assert.equal(lastLine(outcome)["status"], "stopped", outcome.err);
  });

  it("says where the sample should be if it is not", async (t) => {
    const { code, err } = await spectune(scratch(t), "quickstart", "nowhere");
    assert.equal(code, 2);
    assert.match(err, /nowhere is not there[^]*media\/sample/);
  });
});
