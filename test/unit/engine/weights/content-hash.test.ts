/** @file Hashes of model files: of their content, or of the name that the hub cache gave them. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { it } from "node:test";
import { hashFiles } from "../../../../src/engine/weights/content-hash.ts";
import { put, scratch } from "./files.ts";

const sha256 = (data: string | Uint8Array) => createHash("sha256").update(data).digest("hex");

it("hashes contents of any length, and all of them together in the order of the names", async (t) => {
  const folder = scratch(t);
  const large = new Uint8Array(9 * 1024 * 1024 + 1).map((_, i) => i % 251);
  const a = put(folder, "a", large);
  const b = put(folder, "b", "");
  const { sha256: whole, files } = await hashFiles([b, a]);
  assert.deepEqual(files, [
    { name: "a", bytes: large.length, sha256: sha256(large), from: "content" },
    { name: "b", bytes: 0, sha256: sha256(""), from: "content" },
  ]);
  assert.equal(whole, sha256(`${sha256(large)}  a\n${sha256("")}  b\n`));
  assert.equal((await hashFiles([a, b])).sha256, whole);
  put(folder, "b", "x");
  assert.notEqual((await hashFiles([a, b])).sha256, whole);
});

it("believes the name of a large blob of the hub cache, and reads a small one", async (t) => {
  const folder = scratch(t);
  mkdirSync(join(folder, "blobs"));
  mkdirSync(join(folder, "snapshots"));
  const link = (name: string, blob: string, content: string) => {
    put(join(folder, "blobs"), blob, content);
    const path = join(folder, "snapshots", name);
    symlinkSync(join("..", "blobs", blob), path);
    return path;
  };
  const large = link("model.safetensors", "ab".repeat(32), "12345");
  const small = link("config.json", "cd".repeat(20), "{}");
  assert.deepEqual((await hashFiles([large, small])).files, [
    { name: "config.json", bytes: 2, sha256: sha256("{}"), from: "content" },
    { name: "model.safetensors", bytes: 5, sha256: "ab".repeat(32), from: "link" },
  ]);
});

it("names a file that is not there", async (t) => {
  await assert.rejects(hashFiles([join(scratch(t), "none")]), { code: "weights-unreadable" });
});
