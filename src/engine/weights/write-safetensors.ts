/** @file Writes safetensors files as a stream: header first, then one tensor after the other, whole or not at all. */
import { mkdir, open, rename, rm, type FileHandle } from "node:fs/promises";
import { dirname, join } from "node:path";
import { dtypeBytes, elementCount, type DType, type Shape } from "../../shared/dtypes.ts";
import { invariant } from "../../shared/errors.ts";
import { ensureFreeSpace, syncFolder, temporaryPath, writeFileAtomic } from "../runs/atomic.ts";
import { explainingWrites } from "../runs/file-errors.ts";
import { indexName, singleName } from "./locate-weights.ts";
import { lengthBytes } from "./safetensors.ts";
import { storedNames, storedRank } from "./stored-types.ts";

/** A tensor to be written; its bytes are asked for when its turn comes, and held one chunk at a time. */
export interface TensorToWrite {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: Shape;
  /** The bytes in order, in as many chunks as it likes; together exactly what dtype and shape take. */
  readonly chunks: () => Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
}

export type Metadata = Readonly<Record<string, string>>;

/**
 * Writes one file under a temporary name, syncs it, and gives it its name. The same tensors make the
 * same bytes in whatever order they come: larger elements first, then by name, so that the file is
 * the one that the format's own library would write; the data start at a multiple of 8. Returns its
 * size. A {@link UserError} where the disk is full or the folder can't be written; nothing is left.
 */
export async function writeSafetensors(
  path: string,
  tensors: readonly TensorToWrite[],
  metadata: Metadata,
): Promise<number> {
  return explainingWrites(path, async () => {
    await mkdir(dirname(path), { recursive: true });
    await ensureFreeSpace(dirname(path), totalBytes(tensors));
    const [bytes] = await writeAll([{ path, tensors }], metadata, () => Promise.resolve());
    return bytes ?? 0;
  });
}

/**
 * Writes a model's weights into `folder`: `model.safetensors`, or shards of at most `maxShardBytes`
 * of data with an index, cut where transformers cuts: in the order of `tensors`, one that is larger
 * by itself alone. The folder must hold no other weights. Returns the names of the files written.
 */
export async function writeModelWeights(
  folder: string,
  tensors: readonly TensorToWrite[],
  metadata: Metadata,
  maxShardBytes: number,
): Promise<readonly string[]> {
  const shards = cutIntoShards(tensors, maxShardBytes);
  if (shards.length <= 1) {
    await writeSafetensors(join(folder, singleName), tensors, metadata);
    return [singleName];
  }
  const names = shards.map((_, number) => shardName(number + 1, shards.length));
  const files = shards.map((shard, number) => ({
    path: join(folder, names[number] ?? ""),
    tensors: shard,
  }));
  await explainingWrites(folder, async () => {
    await mkdir(folder, { recursive: true });
    await ensureFreeSpace(folder, totalBytes(tensors));
    const weightMap = shards.flatMap((shard, number) =>
      shard.map(({ name }) => [name, names[number] ?? ""] as const),
    );
    const index = indexText(tensors, weightMap);
    await writeAll(files, metadata, () => writeFileAtomic(join(folder, indexName), index));
  });
  return [...names, indexName];
}

interface FileToWrite {
  readonly path: string;
  readonly tensors: readonly TensorToWrite[];
}

/** Writes all files, then names all, then does `last`; after a failure none of them is left. */
async function writeAll(
  files: readonly FileToWrite[],
  metadata: Metadata,
  last: () => Promise<void>,
): Promise<readonly number[]> {
  const temporary = files.map(({ path }) => temporaryPath(path));
  const named: string[] = [];
  const sizes: number[] = [];
  try {
    for (const [number, { tensors }] of files.entries())
      sizes.push(await writeFile(temporary[number] ?? "", tensors, metadata));
    for (const [number, { path }] of files.entries()) {
      await rename(temporary[number] ?? "", path);
      named.push(path);
    }
    await last();
  } catch (error) {
    await Promise.allSettled([...temporary, ...named].map((path) => rm(path, { force: true })));
    throw error;
  }
  for (const folder of new Set(files.map(({ path }) => dirname(path)))) await syncFolder(folder);
  return sizes;
}

async function writeFile(
  path: string,
  tensors: readonly TensorToWrite[],
  metadata: Metadata,
): Promise<number> {
  const ordered = tensors.toSorted(byRankThenName);
  const handle = await open(path, "wx");
  try {
    const header = headerBytes(ordered, metadata);
    await writeFully(handle, header);
    let written = header.length;
    for (const tensor of ordered) {
      let bytes = 0;
      for await (const chunk of tensor.chunks()) {
        await writeFully(handle, chunk);
        bytes += chunk.length;
      }
      invariant(bytes === byteCount(tensor), `${tensor.name} came with ${bytes} bytes`);
      written += bytes;
    }
    await handle.sync();
    return written;
  } finally {
    await handle.close();
  }
}

/** A single write may take only a part of a large chunk. */
async function writeFully(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const length = Math.min(bytes.length - done, mostBytesAtOnce);
    done += (await handle.write(bytes, done, length)).bytesWritten;
  }
}

const mostBytesAtOnce = 2 ** 30;

/** Length, JSON and spaces, so that the data start at a multiple of 8. */
function headerBytes(ordered: readonly TensorToWrite[], metadata: Metadata): Uint8Array {
  const members: string[] = [];
  const texts = Object.entries(metadata).toSorted(([a], [b]) => compareBytes(a, b));
  if (texts.length > 0) {
    const pairs = texts.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`);
    members.push(`"__metadata__":{${pairs.join(",")}}`);
  }
  const names = new Set<string>(["__metadata__"]);
  let offset = 0;
  for (const tensor of ordered) {
    const { name, dtype, shape } = tensor;
    invariant(!names.has(name), `the tensor ${name} is written twice`);
    names.add(name);
    const end = offset + byteCount(tensor);
    const entry = { dtype: storedNames[dtype], shape, data_offsets: [offset, end] };
    // Not JSON.stringify of the whole, which would move names that look like numbers to the front.
    members.push(`${JSON.stringify(name)}:${JSON.stringify(entry)}`);
    offset = end;
  }
  const json = new TextEncoder().encode(`{${members.join(",")}}`);
  const padded = Math.ceil(json.length / 8) * 8;
  const bytes = new Uint8Array(lengthBytes + padded).fill(0x20);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(padded), true);
  bytes.set(json, lengthBytes);
  return bytes;
}

function cutIntoShards(
  tensors: readonly TensorToWrite[],
  maxShardBytes: number,
): readonly (readonly TensorToWrite[])[] {
  const shards: TensorToWrite[][] = [];
  let current: TensorToWrite[] = [];
  let bytes = 0;
  for (const tensor of tensors) {
    const size = byteCount(tensor);
    if (size > maxShardBytes) {
      shards.push([tensor]);
      continue;
    }
    if (bytes + size > maxShardBytes) {
      shards.push(current);
      current = [];
      bytes = 0;
    }
    current.push(tensor);
    bytes += size;
  }
  if (current.length > 0) shards.push(current);
  return shards;
}

function shardName(number: number, count: number): string {
  const digits = (value: number) => String(value).padStart(5, "0");
  return `model-${digits(number)}-of-${digits(count)}.safetensors`;
}

/** The text that Python's `json.dumps(index, indent=2, sort_keys=True)` makes, and a newline. */
function indexText(
  tensors: readonly TensorToWrite[],
  weightMap: readonly (readonly [name: string, file: string])[],
): string {
  const rows = weightMap
    .toSorted(([a], [b]) => compareBytes(a, b))
    .map(([name, file]) => `    ${JSON.stringify(name)}: ${JSON.stringify(file)}`);
  const parameters = tensors.reduce((sum, { shape }) => sum + elementCount(shape), 0);
  const lines = [
    "{",
    '  "metadata": {',
    `    "total_parameters": ${parameters},`,
    `    "total_size": ${totalBytes(tensors)}`,
    "  },",
    '  "weight_map": {',
    rows.join(",\n"),
    "  }",
    "}",
    "",
  ];
  return lines.join("\n").replace(/[^\0-\x7e]/g, escapeUnit);
}

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

function byteCount({ dtype, shape }: TensorToWrite): number {
  return elementCount(shape) * dtypeBytes[dtype];
}

function totalBytes(tensors: readonly TensorToWrite[]): number {
  return tensors.reduce((sum, tensor) => sum + byteCount(tensor), 0);
}

function byRankThenName(a: TensorToWrite, b: TensorToWrite): number {
  return storedRank(a.dtype) - storedRank(b.dtype) || compareBytes(a.name, b.name);
}

/** Order of UTF-8 bytes, which for names beyond the basic plane is not that of JavaScript's strings. */
function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
