/** @file Wrong input through the command line: exit code 2, one message with place and remedy, nothing written. */
import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { lastLine, spectune } from "../../support/command-line.ts";
import { makeWorkspace, tinyExperiment } from "../../support/workspace.ts";
import { cases, runAlone } from "./cases.ts";

describe("wrong input to a run", () => {
  for (const { name, spoil, code, says, place } of cases)
    it(name, async (t) => {
      const folder = makeWorkspace(t);
      const changed = spoil(folder, tinyExperiment);
      if (changed !== undefined) writeFileSync(join(folder, "a.peft.yaml"), changed);
      const file = name === "an experiment that is not there" ? "b.peft.yaml" : "a.peft.yaml";
      const { code: exit, out, err } = await spectune(folder, "run", file, "--json");
      assert.equal(exit, 2, err);
      assert.equal(out, "");
      assert.match(err, says);
      assert.ok(err.includes(`[${code}]`), err);
      if (place !== undefined) assert.ok(err.includes(place), err);
      // A remedy stands below, indented; a message of what must stand there is its own.
      if (!["wrong-type", "out-of-bounds"].includes(code)) assert.match(err, /\n {2}\S/);
      assert.doesNotMatch(err, /defect of Spectune|\n\s+at /);
      for (const line of err.split("\n")) {
        const paths = line.match(/(?:[\w.-]*[/\\]){2,}[\w-]+(?:\.\w+)*/gu) ?? [];
        assert.equal(new Set(paths).size, paths.length, `a path twice: ${line}`);
      }
      assert.equal(existsSync(join(folder, ".spectune")), false);
    });
});

describe("wrong input to a check", () => {
  for (const { name, spoil } of cases)
    it(name, async (t) => {
      const folder = makeWorkspace(t);
      const changed = spoil(folder, tinyExperiment);
      if (changed !== undefined) writeFileSync(join(folder, "a.peft.yaml"), changed);
      const file = name === "an experiment that is not there" ? "b.peft.yaml" : "a.peft.yaml";
      const { code, out, err } = await spectune(folder, "check", file);
      assert.equal(code, runAlone.includes(name) ? 0 : 2, out + err);
      assert.equal(existsSync(join(folder, ".spectune")), false);
    });

  it("is said for machines with its place and its fix, and not where a comment silences it", async (t) => {
    const wrong = tinyExperiment.replace("all-linear", "[q_proj, v_prj]");
    const folder = makeWorkspace(t, wrong);
    const told = lastLine(await spectune(folder, "check", "a.peft.yaml", "--json"));
    assert.equal(told["valid"], false);
    assert.match(
      JSON.stringify(told["findings"]),
      /"code":"target-without-match","severity":"error"[^\]]*"line":4,"column":\d+,[^\]]*"fix":\{"title":"Write `v_proj`"/u,
    );
    const silenced = wrong.replace("\ntrain:", " # spectune-ignore: target-without-match\ntrain:");
    writeFileSync(join(folder, "a.peft.yaml"), silenced);
    assert.equal((await spectune(folder, "check", "a.peft.yaml")).code, 0);
  });
});

describe("odd input to a run", () => {
  it("is a warning where the run has a meaning: a rank above the dimensions", async (t) => {
    const folder = makeWorkspace(t, tinyExperiment.replace("r: 4", "r: 40"));
    const { code, err } = await spectune(folder, "run", "a.peft.yaml", "--json");
    assert.equal(code, 0, err);
    assert.match(
      err,
      /warning: Rank 40 is above [^]* and at \d+ other modules: the effective rank is 32 there/,
    );
  });
});
