/**
 * @file A real `npm ci` of a clean copy of the tracked files, with npm 10 and with the npm at hand, where there is no
 * compiler and no Python; and then the command line, which is compiled there from what npm brought.
 */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import type { SpawnSyncReturns } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { cudaFiles, npmEnvironment } from "./installed.ts";
import { root, trackedFiles } from "./sources.ts";

const npms = [
  { name: "npm 10", command: ["npx", "--yes", "npm@10"] },
  { name: "the npm at hand", command: ["npm"] },
] as const;

const tracked = trackedFiles();
const skip =
  process.platform === "win32"
    ? "a bare PATH is made of links"
    : tracked === undefined && "the tree came without git";

describe("npm ci of a clean copy", { skip }, () => {
  for (const { name, command } of npms)
    it(`installs with ${name} alone and runs no script of a package`, async () => {
      const folder = await mkdtemp(join(tmpdir(), "spectune-install-"));
      try {
        const copy = join(folder, "copy");
        for (const file of tracked ?? []) await cp(join(root, file), join(copy, file));
        const env = { ...npmEnvironment(), PATH: await barePath(folder) };
        for (const tool of ["gcc", "cc", "clang", "make", "python", "python3"])
          assert.notEqual(start(copy, env, "sh", "-c", `command -v ${tool}`).status, 0, tool);
        const installed = start(copy, env, ...command, "ci", "--foreground-scripts");
        assert.equal(installed.status, 0, installed.stdout + installed.stderr);
        // `--foreground-scripts` would show a script's first line: "> onnxruntime-node@… postinstall".
        assert.doesNotMatch(installed.stdout, /^> \S+@\S+ (?:pre|post)?install/m);
        assert.deepEqual(cudaFiles(copy), []);
        const methods = start(copy, env, ...command, "run", "-s", "spectune", "--", "methods");
        assert.equal(methods.status, 0, methods.stdout + methods.stderr);
        assert.match(methods.stdout, /^lora /m);
        const file = "media/sample/lora.peft.yaml";
        const plan = start(copy, env, ...command, "run", "-s", "spectune", "--", "plan", file);
        assert.equal(plan.status, 0, plan.stdout + plan.stderr);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    });
});

function start(
  cwd: string,
  env: NodeJS.ProcessEnv,
  ...[file = "", ...args]: readonly string[]
): SpawnSyncReturns<string> {
  return spawnSync(file, args, { cwd, env, encoding: "utf8" });
}

/** A folder of links that is the whole PATH: the machine's own Node and npm, and the shell that npm starts scripts with. */
async function barePath(folder: string): Promise<string> {
  const path = join(folder, "bin");
  await mkdir(path);
  for (const tool of ["node", "npm", "npx", "sh", "env"])
    await symlink(await found(tool), join(path, tool));
  return path;
}

/** The tool on the present PATH, past the packages' own that npm puts in front of it. */
async function found(tool: string): Promise<string> {
  const PATH = (process.env["PATH"] ?? "")
    .split(":")
    .filter((folder) => !folder.includes("node_modules"))
    .join(":");
  const out = execFileSync("/bin/sh", ["-c", `command -v ${tool}`], {
    encoding: "utf8",
    env: { PATH },
  });
  return realpath(out.trim());
}

describe("the check itself", () => {
  it("sees a script run where the project's settings are missing", async () => {
    const folder = await mkdtemp(join(tmpdir(), "spectune-script-"));
    try {
      const marker = join(folder, "ran");
      const scripts = { postinstall: `node -e "require('fs').writeFileSync('ran', '')"` };
      await writeFile(join(folder, "package.json"), JSON.stringify({ name: "probe", scripts }));
      const install = (): void => {
        execFileSync("npm", ["install", "--no-audit", "--no-fund"], {
          cwd: folder,
          env: npmEnvironment(),
          shell: process.platform === "win32",
          stdio: "ignore",
        });
      };
      await cp(join(root, ".npmrc"), join(folder, ".npmrc"));
      install();
      await assert.rejects(readFile(marker));
      await rm(join(folder, ".npmrc"));
      install();
      await readFile(marker);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
