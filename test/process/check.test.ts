/** @file The check: what it says of parts that pass and fail, and that the linter sees what a change elsewhere does to a file. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { runParts } from "../../src/build/check/run-parts.ts";
import { scratch } from "../unit/engine/runs/scratch.ts";

const root = join(import.meta.dirname, "../..");

describe("the parts of the check", () => {
  const run = async (
    commands: Readonly<Record<string, string>>,
  ): Promise<readonly [failed: readonly string[], out: string]> => {
    let out = "";
    const parts = Object.entries(commands).map(([name, code]) => ({ name, command: ["-e", code] }));
    const write = (text: string): void => void (out += text);
    const failed = await runParts(parts, { root, write, now: () => 0 });
    return [failed, out];
  };

  it("take a line each where they pass", async () => {
    const [failed, out] = await run({ types: "console.log('not shown')", lint: "" });
    assert.deepEqual(failed, []);
    assert.match(out, /^(?:(?:types|lint) +0\.0 s {2}passed\n){2}All is well, in 0\.0 s\.\n$/);
  });

  it("say all that they said where they fail, by whatever end", async () => {
    const [failed, out] = await run({
      types: "console.log('wrong'); console.error('here'); process.exitCode = 2",
      lint: "process.kill(process.pid, 'SIGKILL')",
      docs: "",
    });
    assert.deepEqual(failed.toSorted(), ["lint", "types"]);
    assert.match(out, /types +0\.0 s {2}FAILED\nwrong\nhere\n/);
    assert.match(out, /lint +0\.0 s {2}FAILED\n/);
    assert.match(out, /docs +0\.0 s {2}passed\n/);
    assert.match(out, /Failed, in 0\.0 s: (?:types, lint|lint, types)\.\n$/);
  });
});

describe("the linter", () => {
  it("looks again at a file when a type that it imports changes", (t) => {
    const folder = scratch(t);
    for (const file of ["eslint.config.mjs", "tsconfig.json", "package-lock.json", "package.json"])
      cpSync(join(root, file), join(folder, file));
    for (const file of ["src/build/check/lint.ts", "kernels/tsconfig.json"]) {
      mkdirSync(join(folder, file, ".."), { recursive: true });
      cpSync(join(root, file), join(folder, file));
    }
    symlinkSync(join(root, "node_modules"), join(folder, "node_modules"), "junction");
    const write = (name: string, text: string): void => {
      writeFileSync(join(folder, "src", name), text);
    };
    const lint = (): readonly [code: number | null, out: string] => {
      const child = spawnSync(process.execPath, ["src/build/check/lint.ts", "store.json"], {
        cwd: folder,
        encoding: "utf8",
      });
      return [child.status, child.stdout + child.stderr];
    };
    write("a.ts", "export function a(): number {\n  return 1;\n}\n");
    write("b.ts", 'import { a } from "./a.ts";\n\nexport const b = a();\na();\n');
    assert.deepEqual(lint(), [0, ""]);
    // The same call now leaves a promise behind: only the types of another file say so.
    write("a.ts", "export function a(): Promise<number> {\n  return Promise.resolve(1);\n}\n");
    const [code, out] = lint();
    assert.equal(code, 1, out);
    assert.match(out, /b\.ts[^]*no-floating-promises/);
    assert.doesNotMatch(out, /a\.ts/);
    write("a.ts", "export function a(): number {\n  return 1;\n}\n");
    assert.deepEqual(lint(), [0, ""]);
  });
});
