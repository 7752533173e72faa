/** @file Kernels are compiled when their sources changed, never otherwise, and appear whole or not at all. */
import assert from "node:assert/strict";
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { instantiate } from "../../../kernels/wasm.ts";
import { buildKernels } from "../../../src/build/kernels.ts";
import { kernelBytes } from "../../../src/engine/runtime/kernels.ts";

describe("buildKernels", () => {
  let root: string;
  let sources: string;
  let output: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "kernels-"));
    sources = join(root, "kernels");
    output = join(root, "dist");
    mkdirSync(join(sources, "sum/assembly"), { recursive: true });
    write("export { add } from './add';");
    writeFileSync(
      join(sources, "sum/assembly/add.ts"),
      "export function add(a: i32, b: i32): i32 { return a + b; }",
    );
  });
  afterEach(() => rmSync(root, { recursive: true }));

  const write = (text: string) => writeFileSync(join(sources, "sum/assembly/index.ts"), text);
  const sum = () => readFileSync(join(output, "sum.wasm"));

  it("compiles once, then again only when a source changed", async () => {
    assert.deepEqual(await buildKernels(sources, output), { built: ["sum"], unchanged: [] });
    assert.equal(instantiate(sum(), 1).fn("add")(2, 3), 5);
    const { ino, mtimeMs } = statSync(join(output, "sum.wasm"));
    assert.deepEqual(await buildKernels(sources, output), { built: [], unchanged: ["sum"] });
    assert.deepEqual(statSync(join(output, "sum.wasm")).ino, ino);
    assert.deepEqual(statSync(join(output, "sum.wasm")).mtimeMs, mtimeMs);
    writeFileSync(
      join(sources, "sum/assembly/add.ts"),
      "export function add(a: i32, b: i32): i32 { return a + b + 1; }",
    );
    assert.deepEqual((await buildKernels(sources, output)).built, ["sum"]);
    assert.equal(instantiate(sum(), 1).fn("add")(2, 3), 6);
  });
  it("leaves one whole file when several builds run at once", async () => {
    await Promise.all([1, 2, 3].map(() => buildKernels(sources, output)));
    assert.deepEqual(readdirSync(output), ["sum.wasm"]);
    assert.equal(instantiate(sum(), 1).fn("add")(20, 3), 23);
  });
  it("says what does not compile, and keeps the file of before", async () => {
    await buildKernels(sources, output);
    const before = sum();
    write("export function broken(): i32 { return nothing; }");
    await assert.rejects(buildKernels(sources, output), /nothing/);
    assert.deepEqual(sum(), before);
  });
});

describe("kernelBytes", () => {
  it("says how to mend a missing kernel", () => {
    assert.throws(() => kernelBytes("nf4", tmpdir()), /kernel nf4 was not compiled.*npm run build/);
  });
});
