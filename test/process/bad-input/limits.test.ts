/** @file Where the machine ends: more memory than it has, a stop before the first step, a full disk. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { invariant } from "../../../src/shared/errors.ts";
import { lastLine, runsOf, spectune, startSpectune } from "../../support/command-line.ts";
import { makeWorkspace, tinyExperiment } from "../../support/workspace.ts";

const mayMount = process.platform === "linux" && process.getuid?.() === 0;

describe("more memory than the machine has", () => {
  const tooMuch = ["--set", "method.r=100000000"];

  it("is a warning of the plan and of the check, at its place", async (t) => {
    const folder = makeWorkspace(t);
    for (const command of ["check", "plan"]) {
      const { code, out, err } = await spectune(folder, command, "a.peft.yaml", ...tooMuch);
      assert.equal(code, 0, err);
      assert.match(`${out}${err}`, /a\.peft\.yaml:5:1: warning: .*\[memory-over-machine\]/u);
    }
  });
});

describe("a stop before the first step", () => {
  it("ends the process in seconds, and leaves nothing behind", async (t) => {
    const folder = makeWorkspace(t);
    const row = JSON.stringify({ text: "b ".repeat(2_000_000) });
    writeFileSync(join(folder, "long.jsonl"), `${row}\n`.repeat(6));
    const run = ["run", "a.peft.yaml", "--set", "data.train=long.jsonl", "--set", "data.eval=null"];
    const { process: child, end } = startSpectune(t, folder, ...run);
    let asked = false;
    child.stderr?.on("data", (data: Buffer) => {
      if (asked || !data.includes("tokenizing")) return;
      asked = child.kill("SIGTERM");
    });
    const { code, err } = await end;
    assert.equal(code, 130, err);
    assert.match(err, /^Stopped before the first step; nothing was written\.$/mu);
    assert.equal(existsSync(join(folder, ".spectune")), false);
  });
});

describe("a disk that fills up", { skip: !mayMount }, () => {
  it("ends the run with code 2 before its first step, and it can be resumed", async (t) => {
    const folder = makeWorkspace(
      t,
      tinyExperiment
        .replace("{ type: lora, r: 4, alpha: 2r, target_modules: all-linear }", "full")
        .concat("checkpoints: { every: 1 steps }\n"),
    );
    const disk = join(folder, ".spectune");
    mkdirSync(disk);
    if (spawnSync("mount", ["-t", "tmpfs", "-o", "size=160k", "tmpfs", disk]).status !== 0) {
      t.skip("no right to mount");
      return;
    }
    try {
      const full = await spectune(folder, "run", "a.peft.yaml", "--json");
      assert.equal(full.code, 2, full.err);
      assert.match(full.err, /\[no-space-left\][^]*resume/);
      assert.doesNotMatch(full.out, /"type":"step"/u);
      const [run] = runsOf(folder);
      invariant(run, "there is no run folder");
      assert.equal(spawnSync("mount", ["-o", "remount,size=64m", disk]).status, 0);
      const resumed = await spectune(folder, "run", "--resume", run, "--json");
      assert.equal(resumed.code, 0, resumed.err);
      assert.equal(lastLine(resumed)["status"], "finished");
    } finally {
      spawnSync("umount", ["-l", disk]);
    }
  });
});
