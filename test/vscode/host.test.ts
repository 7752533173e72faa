/** @file The suite inside the extension host of a real editor. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { build } from "esbuild";
import { isRecord, parseJson } from "../../src/shared/wire.ts";
import { buildOnce } from "./support/build-once.ts";
import { root } from "../../src/build/editor/code-server.ts";
import { openEditor } from "./support/editor.ts";
import { sampleWorkspace } from "./support/workspace.ts";

const limitMs = 300_000;

describe("in the extension host", () => {
  const folder = sampleWorkspace();
  const scratch = mkdtempSync(join(tmpdir(), "spectune-suite-"));
  const resultsFile = join(scratch, "results.json");
  const bundle = join(root, ".vscode-test/suite/suite.cjs");
  before(async () => {
    await buildOnce();
    await build({
      absWorkingDir: root,
      entryPoints: ["test/vscode/suite/run.ts"],
      outfile: bundle,
      bundle: true,
      format: "cjs",
      platform: "node",
      external: ["vscode", "mocha"],
      define: { RESULTS_FILE: JSON.stringify(resultsFile) },
    });
  });
  after(() => {
    for (const made of [folder, scratch]) rmSync(made, { recursive: true, force: true });
  });

  it("everything of the suite holds", async () => {
    const editor = await openEditor({ folder, tests: bundle });
    try {
      for (const end = Date.now() + limitMs; !existsSync(resultsFile) && Date.now() < end;)
        await sleep(500);
      assert(existsSync(resultsFile), "The suite did not end.");
    } finally {
      await editor.close();
    }
    const results = resultsOf(readFileSync(resultsFile, "utf8"));
    assert(results.length > 12);
    const failed = results.filter(({ error }) => error !== undefined);
    assert.deepEqual(
      failed,
      [],
      failed.map(({ name, error }) => `${name}\n${error ?? ""}`).join("\n\n"),
    );
  });
});

interface Result {
  readonly name: string;
  readonly error: string | undefined;
}

function resultsOf(text: string): readonly Result[] {
  const parsed = parseJson(text);
  const list: unknown = isRecord(parsed) ? parsed["results"] : undefined;
  assert(Array.isArray(list));
  return list.map((each: unknown) => {
    assert(isRecord(each));
    const { name, error } = each;
    return { name: String(name), error: typeof error === "string" ? error : undefined };
  });
}
