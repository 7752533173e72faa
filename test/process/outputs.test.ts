/** @file What cannot be written or reached: output without room, files above a limit, links in a circle. No stack traces. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, symlinkSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, it } from "node:test";
import { at } from "../../src/shared/errors.ts";
import { runsOf, spectune } from "../support/command-line.ts";
import { makeWorkspace, tinyExperiment } from "../support/workspace.ts";

const entry = join(import.meta.dirname, "../../src/cli/spectune.ts");
const skip = !existsSync("/dev/full") && "there is no /dev/full";

/** Runs `spectune ARGS` in a shell, with what the shell does around it. */
function inShell(folder: string, line: string): ReturnType<typeof spawnSync> & { err: string } {
  const script = line.replace("spectune", `"${process.execPath}" "${entry}"`);
  const ended = spawnSync("/bin/sh", ["-c", script], { cwd: folder, encoding: "utf8" });
  assert.doesNotMatch(ended.stderr, /\n\s+at |defect of Spectune/u);
  return { ...ended, err: ended.stderr };
}

describe("output that cannot be written", { skip }, () => {
  it("is said in one line, and ends with a code", (t) => {
    const { status, err } = inShell(makeWorkspace(t), "spectune methods > /dev/full");
    assert.equal(status, 1);
    assert.match(err, /^error: Standard output cannot be written: .*\[output-not-written\]\n$/u);
  });

  it("ends no work where it is but the progress", (t) => {
    const folder = makeWorkspace(t);
    const { status, stdout } = inShell(folder, "spectune run a.peft.yaml 2> /dev/full");
    assert.equal(status, 1);
    assert.match(String(stdout), /^finished after 2 steps/u);
  });
});

describe("a limit on the size of files", { skip }, () => {
  it("ends a run with what to do, and it can be resumed", async (t) => {
    const full = "{ type: lora, r: 4, alpha: 2r, target_modules: all-linear }";
    const folder = makeWorkspace(
      t,
      tinyExperiment.replace(full, "full").concat("checkpoints: { every: 1 steps }\n"),
    );
    const { status, err } = inShell(folder, "ulimit -f 100; spectune run a.peft.yaml");
    assert.equal(status, 2);
    const run = at(runsOf(folder), 0);
    assert.match(err, /files may not be so large here\. \[no-space-left\]\n {2}.*ulimit -f/u);
    assert.ok(err.includes(`spectune run --resume ${basename(run)}`), err);
    assert.equal((await spectune(folder, "run", "--resume", run)).code, 0);
  });
});

describe("a .spectune that leads to itself", () => {
  for (const command of ["run a.peft.yaml", "queue list", "generate x --prompt y"])
    it(`is what ${command} says`, async (t) => {
      const folder = makeWorkspace(t);
      symlinkSync(".spectune", join(folder, ".spectune"), "junction");
      const { code, err } = await spectune(folder, ...command.split(" "));
      assert.equal(code, 2, err);
      assert.match(err, /\.spectune.*: its links lead in a circle\. \[links-in-a-circle\]\n {2}/u);
    });
});
