/** @file Installing runs no package's script: ONNX Runtime's would reach for CUDA libraries outside of npm's registry. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { describe, it } from "node:test";
import { isRecord } from "../../src/shared/wire.ts";
import { cudaFiles, npmEnvironment } from "./installed.ts";
import { root, textOf } from "./sources.ts";

describe("npm ci", () => {
  it("is told by the project to run no install script", () => {
    assert.match(textOf(".npmrc"), /^ignore-scripts=true$/m);
    const found = execFileSync("npm", ["config", "get", "ignore-scripts"], {
      cwd: root,
      encoding: "utf8",
      env: npmEnvironment(),
      shell: process.platform === "win32",
      stdio: ["ignore", "pipe", "ignore"],
    });
    assert.equal(found.trim(), "true");
  });

  it("left no CUDA library beside ONNX Runtime", () => {
    assert.deepEqual(cudaFiles(root), []);
  });

  it("finds each package by its integrity, and none by an address", () => {
    const lock: unknown = JSON.parse(textOf("package-lock.json"));
    assert(isRecord(lock) && isRecord(lock["packages"]));
    const packages = Object.entries(lock["packages"]).filter(([path]) => path !== "");
    assert(packages.length > 0);
    const wrong = packages.filter(
      ([, its]) => !isRecord(its) || "resolved" in its || typeof its["integrity"] !== "string",
    );
    assert.deepEqual(wrong, []);
  });

  it("brings one Node for all platforms that have one, without a script", () => {
    const lock: unknown = JSON.parse(textOf("package-lock.json"));
    assert(isRecord(lock) && isRecord(lock["packages"]));
    const nodes = Object.entries(lock["packages"]).flatMap(([path, its]) =>
      /^node_modules\/node-(?:linux|win)-\w+$/.test(path) && isRecord(its) ? [its] : [],
    );
    assert.equal(nodes.length, 3);
    assert.equal(new Set(nodes.map((its) => its["version"])).size, 1);
    for (const its of nodes)
      assert.deepEqual([its["optional"], its["hasInstallScript"]], [true, undefined]);
  });
});
