/** @file A real `npm ci` of this package in an empty folder, with npm 10 and with the npm at hand. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { cudaFiles, npmEnvironment } from "./installed.ts";
import { root } from "./sources.ts";

const npms = [
  { name: "npm 10", command: ["npx", "--yes", "npm@10"] },
  { name: "the npm at hand", command: ["npm"] },
] as const;

describe("npm ci in an empty folder", () => {
  for (const { name, command } of npms)
    it(`installs with ${name} and runs no script of a package`, async () => {
      const folder = await mkdtemp(join(tmpdir(), "spectune-install-"));
      try {
        for (const file of ["package.json", "package-lock.json", ".npmrc"])
          await cp(join(root, file), join(folder, file));
        const found = spawnSync(command[0], [...command.slice(1), "ci", "--foreground-scripts"], {
          cwd: folder,
          encoding: "utf8",
          env: npmEnvironment(),
          shell: process.platform === "win32",
        });
        assert.equal(found.status, 0, found.stdout + found.stderr);
        // `--foreground-scripts` would show a script's first line: "> onnxruntime-node@… postinstall".
        assert.doesNotMatch(found.stdout, /^> \S+@\S+ (?:pre|post)?install/m);
        assert.deepEqual(cudaFiles(folder), []);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    });
});

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
