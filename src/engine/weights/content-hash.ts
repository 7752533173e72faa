/** @file What a run record says of a model's files: their SHA-256, so that the same bytes can be told again. */
import { createHash, type Hash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { lstat, readlink } from "node:fs/promises";
import { basename } from "node:path";
import { explainingReads, openToRead } from "./read-errors.ts";

export interface FileHash {
  /** Last part of the path. */
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
  /** `link`: taken from the name of the hub cache's blob, which is the hash, without reading it. */
  readonly from: "link" | "content";
}

export interface ContentHash {
  /** SHA-256 over names and hashes of all files, in the order of the names. */
  readonly sha256: string;
  readonly files: readonly FileHash[];
}

/**
 * Hashes files whose last names differ. Large files of the hub cache are links to blobs that are
 * named by their SHA-256: that name is believed, and the file's bytes are not read.
 */
export async function hashFiles(paths: readonly string[]): Promise<ContentHash> {
  const files: FileHash[] = [];
  for (const path of paths.toSorted()) files.push(await hashFile(path));
  const whole = createHash("sha256");
  for (const { name, sha256 } of files.toSorted((a, b) => (a.name < b.name ? -1 : 1)))
    whole.update(`${sha256}  ${name}\n`);
  return { sha256: whole.digest("hex"), files };
}

async function hashFile(path: string): Promise<FileHash> {
  const { handle, facts } = await openToRead(path);
  try {
    const known = await blobHash(path);
    const name = basename(path);
    const bytes = Number(facts.size);
    if (known !== undefined) return { name, bytes, sha256: known, from: "link" };
    const hash = createHash("sha256");
    await explainingReads(path, () => hashContent(handle, hash));
    return { name, bytes, sha256: hash.digest("hex"), from: "content" };
  } finally {
    await handle.close();
  }
}

/** Feeds a file's content, from where it stands to its end, to a hash; holds one piece of it at a time. */
export async function hashContent(handle: FileHandle, hash: Hash): Promise<void> {
  const piece = new Uint8Array(pieceBytes);
  for (;;) {
    const { bytesRead } = await handle.read(piece, 0, piece.length);
    if (bytesRead === 0) return;
    hash.update(piece.subarray(0, bytesRead));
  }
}

const pieceBytes = 2 ** 20;

/** A blob of a small file is named by its Git hash of 40 signs, which says nothing here. */
async function blobHash(path: string): Promise<string | undefined> {
  return explainingReads(path, async () => {
    if (!(await lstat(path)).isSymbolicLink()) return undefined;
    return /[/\\]blobs[/\\]([0-9a-f]{64})$/.exec(await readlink(path))?.[1];
  });
}
