/** @file The cache of base decompositions on the disk, whole, damaged and cut off. */
import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, it } from "node:test";
import { temporaryPath } from "../../../../src/engine/runs/atomic.ts";
import { diskCache } from "../../../../src/engine/lab/svd-cache.ts";
import { openSideArrays } from "../../../../src/engine/lab/side-arrays.ts";
import { readArray } from "../../../../src/cli/workbench/tensors.ts";
import { openAnalysisFile } from "../../../../src/engine/lab/analysis-file.ts";
import { isRecordWith } from "../../../../src/engine/lab/look.ts";
import type { Hashed } from "../../../../src/engine/lab/analysis-file.ts";

let root = "";
before(async () => {
  root = await mkdtemp(join(tmpdir(), "lab-cache-"));
});
after(() => rm(root, { recursive: true, force: true }));

const kept = {
  sigma: Float64Array.of(3, 2),
  left: { rows: 2, columns: 3, data: Float64Array.of(1, 0, 0, 0, 1, 0) },
  residuals: Float64Array.of(0, 1e-12),
  values: undefined,
};

it("keeps a decomposition to the bit, and makes a damaged one anew with a word", async () => {
  const said: string[] = [];
  const cache = diskCache(root, ({ code }) => said.push(code));
  assert.equal(await cache.read("abc", "top"), undefined);
  await cache.write("abc", "top", kept);
  assert.deepEqual(await cache.read("abc", "top"), kept);
  assert.deepEqual(said, []);
  const file = join(root, "ab", (await readdir(join(root, "ab")))[0] ?? "");
  const bytes = await readFile(file);
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  await writeFile(file, bytes);
  assert.equal(await cache.read("abc", "top"), undefined);
  assert.deepEqual(said, ["damaged-cache"]);
});

it("removes what a killed process was writing", async () => {
  const cache = diskCache(root, () => undefined);
  // Its number is in use, by a process that began at another time.
  const left = temporaryPath(join(root, "cd", "x")).replace(/-\d+-([0-9a-f]+)$/, "-1-$1");
  await mkdir(join(root, "cd"));
  await writeFile(left, "half");
  await cache.write("cdef", "top", kept);
  const expected = process.platform === "linux" ? 1 : 2;
  assert.equal((await readdir(join(root, "cd"))).length, expected);
});

it("goes on from a journal, also from one that was cut off", async () => {
  const is = isRecordWith<Hashed>();
  const folder = join(root, "analysis");
  const one = { name: "q", baseHash: "1", tunedHash: "2" };
  const open = async (k: number, arrays: readonly string[] = []) => {
    const file = await openAnalysisFile(folder, "intruders", { k }, is, () => arrays);
    await file.close();
    return file;
  };
  const first = await open(10);
  await first.add(one, []);
  const journal = first.path.replace(/json$/, "journal.ndjson");
  await writeFile(journal, `${JSON.stringify(one)}\n{"name":"v","ba`);
  const second = await open(10);
  assert.deepEqual(second.found("q", "1", "2"), one);
  assert.equal(second.found("q", "1", "3"), undefined);
  await second.add({ ...one, name: "v" }, []);
  const third = await open(10);
  assert.ok(third.found("v", "1", "2"));
  const other = await open(11);
  assert.notEqual(other.path, third.path);
  assert.equal(other.found("q", "1", "2"), undefined);
  // A record whose array is gone is none.
  assert.equal((await open(10, ["cosines/q"])).found("q", "1", "2"), undefined);
});

it("is written by one process at a time, and taken over from a dead one", async () => {
  const folder = join(root, "held");
  const open = () => openAnalysisFile(folder, "spectra", {}, isRecordWith<Hashed>(), () => []);
  const first = await open();
  const lock = first.path.replace(/json$/, "lock");
  await assert.rejects(open(), { code: "analysis-in-use", remedy: /^Wait until it has ended/ });
  await first.close();
  const second = await open();
  const mark = await readFile(lock, "utf8");
  await second.close();
  // Its number is in use again, by a process that began at another time.
  await writeFile(lock, mark.replace(/"start":"\d+"/, '"start":"1"'));
  if (process.platform === "linux") await (await open()).close();
  // Of a process elsewhere nothing can be told from here, nor of a mark that was cut off.
  for (const other of [mark.replace(/"host":"[^"]*"/, '"host":"elsewhere"'), ""]) {
    await writeFile(lock, other);
    await assert.rejects(open(), { code: "analysis-in-use", remedy: /remove \S+\.lock first/ });
  }
});

it("gathers arrays and goes on from those that came whole", async () => {
  const [path, gathered] = [join(root, "side.safetensors"), join(root, "side.arrays")];
  const array = (name: string, value: number) => ({
    name,
    shape: [2, 3] as const,
    values: new Float32Array(6).fill(value),
  });
  const first = await openSideArrays(path, gathered);
  await first.add(array("a", 1));
  await first.add(array("b", 2));
  const bytes = await readFile(gathered);
  await writeFile(gathered, bytes.subarray(0, bytes.length - 1));
  const second = await openSideArrays(path, gathered);
  assert.deepEqual([second.has("a"), second.has("b")], [true, false]);
  await second.add(array("b", 3));
  await second.finish(["a", "b"]);
  assert.deepEqual((await readArray(path, "b")).values, new Float32Array(6).fill(3));
  const third = await openSideArrays(path, gathered);
  await third.add(array("c", 4));
  await third.finish(["a", "c"]);
  const last = await openSideArrays(path, gathered);
  assert.deepEqual(
    ["a", "b", "c"].map((name) => last.has(name)),
    [true, false, true],
  );
  assert.deepEqual((await readArray(path, "a")).shape, [2, 3]);
});
