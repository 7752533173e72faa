/** @file The command line that the extension starts, under the oldest Node of a remote: the same run as under this one. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import type { TestContext } from "node:test";
import { describe, it } from "node:test";
import { promisify } from "node:util";
import { root } from "../../src/build/editor/code-server.ts";
import { runsOf } from "../support/command-line.ts";
import { makeWorkspace } from "../support/workspace.ts";
import { buildOnce } from "./support/build-once.ts";
import { installOlderNode } from "./support/older-node.ts";

const entry = join(root, "dist/cli/spectune.mjs");

describe("under Node 22", { timeout: 300_000 }, () => {
  it("is Node 22", async () => {
    const { stdout } = await promisify(execFile)(installOlderNode(), ["--version"]);
    assert.match(stdout, /^v22\.(?:1[89]|[2-9]\d)\./);
  });

  it("trains as under the present one", async (t) => {
    await buildOnce();
    const [older, present] = [
      await adapterOf(t, installOlderNode()),
      await adapterOf(t, process.execPath),
    ];
    assert(older.length > 1000);
    assert(older.equals(present));
  });

  it("checks and plans", async (t) => {
    const folder = makeWorkspace(t);
    const run = (command: string) =>
      promisify(execFile)(installOlderNode(), [entry, command, "a.peft.yaml", "--json"], {
        cwd: folder,
      });
    assert.match((await run("plan")).stdout, /"trainableParameters":\d+/);
    assert.match((await run("check")).stdout, /"findings":/);
  });
});

/** The bytes of the adapter that a run leaves. */
async function adapterOf(t: TestContext, node: string): Promise<Buffer> {
  const folder = makeWorkspace(t);
  await promisify(execFile)(node, [entry, "run", "a.peft.yaml"], { cwd: folder });
  const [run = ""] = runsOf(folder);
  return readFileSync(join(run, "adapter/adapter_model.safetensors"));
}
