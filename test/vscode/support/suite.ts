/** @file The suite that runs inside an extension host: bundled to one module, its results read from a file. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { build } from "esbuild";
import { root } from "../../../src/build/editor/code-server.ts";
import { isRecord, parseJson } from "../../../src/shared/wire.ts";

export interface Suite {
  /** The module whose `run()` the editor calls. */
  readonly module: string;
  /** Throws, with every failure, unless all of it held; waits so long for its end. */
  readonly check: (limitMs: number) => Promise<void>;
  readonly remove: () => void;
}

export async function bundleSuite(): Promise<Suite> {
  const scratch = mkdtempSync(join(tmpdir(), "spectune-suite-"));
  const resultsFile = join(scratch, "results.json");
  const module = join(root, ".vscode-test/suite/suite.cjs");
  await build({
    absWorkingDir: root,
    entryPoints: ["test/vscode/suite/run.ts"],
    outfile: module,
    bundle: true,
    format: "cjs",
    platform: "node",
    external: ["vscode", "mocha"],
    define: { RESULTS_FILE: JSON.stringify(resultsFile) },
  });
  return {
    module,
    check: async (limitMs) => {
      for (const end = Date.now() + limitMs; !existsSync(resultsFile) && Date.now() < end;)
        await sleep(500);
      assert(existsSync(resultsFile), "The suite did not end.");
      const results = resultsOf(readFileSync(resultsFile, "utf8"));
      assert(results.length > 12);
      const failed = results.filter(({ error }) => error !== undefined);
      const told = failed.map(({ name, error }) => `${name}\n${error ?? ""}`).join("\n\n");
      assert.equal(failed.length, 0, told);
    },
    remove: () => rmSync(scratch, { recursive: true, force: true }),
  };
}

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
