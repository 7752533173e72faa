/** @file Safetensors files made by hand for the tests, sound and broken. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { DType, Shape } from "../../../../src/shared/dtypes.ts";
import type { TensorToWrite } from "../../../../src/engine/weights/write-safetensors.ts";

/** A fresh folder that is gone after the test. */
export function scratch(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "spectune-weights-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A file of this header text and data; `length` may lie about the header. */
export function fileBytes(header: string, data: number, length?: bigint): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode(header);
  const bytes = new Uint8Array(8 + text.length + data);
  new DataView(bytes.buffer).setBigUint64(0, length ?? BigInt(text.length), true);
  bytes.set(text, 8);
  return bytes;
}

/** One entry of a header, as text. */
export function entry(name: string, dtype: string, shape: Shape, begin: number, end: number) {
  return `${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets: [begin, end] })}`;
}

/** Writes a file and returns its path. */
export function put(folder: string, name: string, bytes: Uint8Array | string): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

/** A tensor to be written from bytes in memory. */
export function toWrite(
  name: string,
  dtype: DType,
  shape: Shape,
  bytes: Uint8Array,
): TensorToWrite {
  return { name, dtype, shape, chunks: () => [bytes] };
}

/** The bytes of float32 values. */
export function floats(...values: readonly number[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new Float32Array(values).buffer);
}
