/** @file A run on a model of the hub's cache is recorded with the snapshot that it used, and stays with it. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { lastLine, spectune, startSpectune } from "../support/command-line.ts";
import { makeWorkspace, tinyExperiment } from "../support/workspace.ts";

const [first, second] = ["a".repeat(40), "b".repeat(40)] as const;

describe("a run on a hub id", () => {
  it("records the snapshot's hash, exports it, and goes on from it when the branch has moved", async (t) => {
    const folder = makeWorkspace(
      t,
      `${tinyExperiment.replace("./model", "org/tiny")}export: [peft, script]\n`,
    );
    const repository = join(folder, "cache/models--org--tiny");
    mkdirSync(join(repository, "refs"), { recursive: true });
    mkdirSync(join(repository, "snapshots", second), { recursive: true });
    renameSync(join(folder, "model"), join(repository, "snapshots", first));
    const branch = join(repository, "refs/main");
    writeFileSync(branch, first);
    const before = process.env["HF_HUB_CACHE"];
    process.env["HF_HUB_CACHE"] = join(folder, "cache");
    t.after(() => {
      if (before === undefined) delete process.env["HF_HUB_CACHE"];
      else process.env["HF_HUB_CACHE"] = before;
    });
    const ended = await spectune(folder, "run", "a.peft.yaml", "--json");
    assert.equal(ended.code, 0, ended.err);
    const run = String(lastLine(ended)["runDir"]);
    const read = (name: string): string => readFileSync(join(run, name), "utf8");
    assert.match(read("experiment.yaml"), new RegExp(`id: org/tiny\\s+revision: ["']?${first}`));
    assert.match(read("script.py"), new RegExp(`REVISION = "${first}"`));
    assert.match(read("adapter/adapter_config.json"), new RegExp(`"revision": "${first}"`));

    // The branch's new snapshot is empty: whoever followed the branch would find no model there.
    writeFileSync(branch, second);
    const measured = await startSpectune(t, folder, "eval", run, "--data", "eval.jsonl").end;
    assert.equal(measured.code, 0, measured.err);
  });
});
