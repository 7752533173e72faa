/** @file A model's weights on the disk, single or sharded, read by range without a second copy. */
import type { BigIntStats } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { at, invariant, UserError } from "../../shared/errors.ts";
import type { Finding } from "../../shared/findings.ts";
import { dtypeToRead } from "./check-tensor.ts";
import type { PackedMatrix } from "../quantizers/packed.ts";
import { locateWeights } from "./locate-weights.ts";
import { withPacked } from "./packed-weights.ts";
import { explainingReads, openToRead, throwErrors } from "./read-errors.ts";
import {
  headerEnd,
  parseSafetensorsHeader,
  type SafetensorsHeader,
  type TensorInfo,
} from "./safetensors.ts";
import { assignShards } from "./shard-index.ts";

/** Opened weights. Names that share one tensor (tied weights) are stored once in these files. */
export interface WeightSource {
  /** The folder or file that was opened. */
  readonly path: string;
  /** Every file that holds tensors. */
  readonly files: readonly string[];
  /** Every tensor by name, in the order of the files and of the bytes in them. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** `__metadata__` of the first file. */
  readonly metadata: ReadonlyMap<string, string>;
  /** What is odd but readable. */
  readonly findings: readonly Finding[];
  /** A tensor's bytes, into `into` if given, which must have exactly its size. */
  readonly read: (name: string, into?: Bytes) => Promise<Bytes>;
  /** The bytes of rows `start` to `end` (exclusive) along the first dimension. */
  readonly readRows: (name: string, start: number, end: number, into?: Bytes) => Promise<Bytes>;
  /** A quantized matrix as it is stored; undefined for other tensors. */
  readonly packed?: (name: string) => Promise<PackedMatrix | undefined>;
  readonly close: () => Promise<void>;
}

/** Bytes that start at the beginning of an element, so that any typed array may view them. */
export type Bytes = Uint8Array<ArrayBuffer>;

/**
 * Opens the safetensors weights of a model folder, or one file, and reads the headers. A
 * {@link UserError} names file and tensor for whatever breaks the format or is missing, also later
 * when a file changes while it is open. Quantized matrices appear as they are expanded.
 */
export async function openWeights(path: string): Promise<WeightSource> {
  const located = await locateWeights(path);
  const shards: OpenFile[] = [];
  try {
    for (const file of located.files) shards.push(await openFile(file));
    const { value: tensors, findings } = assignShards(
      located,
      shards.map(({ header }) => header),
    );
    throwErrors(findings);
    return await withPacked(
      weightSource(path, shards, tensors, [
        ...shards.flatMap((shard) => shard.findings),
        ...findings,
      ]),
    );
  } catch (error) {
    await closeAll(shards);
    throw error;
  }
}

function weightSource(
  path: string,
  shards: readonly OpenFile[],
  tensors: ReadonlyMap<string, TensorInfo>,
  findings: readonly Finding[],
): WeightSource {
  const byFile = new Map(shards.map((shard) => [shard.file, shard]));
  let open = true;

  const readable = (name: string): TensorInfo => {
    invariant(open, `${path} was read after it was closed`);
    const tensor = tensors.get(name);
    invariant(tensor, `${path} has no tensor ${name}`);
    dtypeToRead(tensor);
    return tensor;
  };
  const readRange = async (tensor: TensorInfo, from: number, bytes: number, into?: Bytes) => {
    const shard = byFile.get(tensor.file);
    invariant(shard, `${tensor.file} is not open`);
    const target = into ?? new Uint8Array(bytes);
    invariant(target.byteLength === bytes, `the buffer for ${tensor.name} has another size`);
    await fill(shard.handle, shard.facts, tensor.file, tensor.offset + from, target);
    return target;
  };

  return {
    path,
    files: shards.map(({ file }) => file),
    tensors,
    metadata: at(shards, 0).header.metadata,
    findings,
    async read(name, into) {
      const tensor = readable(name);
      return readRange(tensor, 0, tensor.bytes, into);
    },
    async readRows(name, start, end, into) {
      const tensor = readable(name);
      const rows = tensor.shape[0];
      invariant(rows !== undefined, `${name} is a scalar and has no rows`);
      invariant(
        Number.isInteger(start) &&
          Number.isInteger(end) &&
          start >= 0 &&
          start <= end &&
          end <= rows,
        `rows ${start} to ${end} of ${name} were asked for, which has ${rows}`,
      );
      const rowBytes = rows === 0 ? 0 : tensor.bytes / rows;
      return readRange(tensor, start * rowBytes, (end - start) * rowBytes, into);
    },
    async close() {
      if (!open) return;
      open = false;
      await closeAll(shards);
    },
  };
}

interface OpenFile {
  readonly file: string;
  readonly handle: FileHandle;
  /** Size and time of change when it was opened. */
  readonly facts: BigIntStats;
  readonly header: SafetensorsHeader;
  readonly findings: readonly Finding[];
}

/** Opens one file and reads its header; what breaks the format is thrown. */
async function openFile(file: string): Promise<OpenFile> {
  const { handle, facts } = await openToRead(file);
  try {
    const size = Number(facts.size);
    const start = new Uint8Array(Math.min(longestSignature, size));
    await fill(handle, facts, file, 0, start);
    const { value: end, findings: refused } = headerEnd(start, size, file);
    throwErrors(refused);
    invariant(end, "a header without errors has an end");
    const bytes = new Uint8Array(end);
    await fill(handle, facts, file, 0, bytes);
    const { value: header, findings } = parseSafetensorsHeader(bytes, size, file);
    throwErrors(findings);
    invariant(header, "a header without errors has a value");
    return { file, handle, facts, header, findings };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Enough of a file's start to tell what it is. */
const longestSignature = 64;

/** One read call takes less than 2 GiB. */
const mostBytesAtOnce = 2 ** 30;

/** Fills `target` from `offset`, and makes sure that the file is still the one that was opened. */
async function fill(
  handle: FileHandle,
  facts: BigIntStats,
  file: string,
  offset: number,
  target: Bytes,
): Promise<void> {
  await explainingReads(file, async () => {
    for (let done = 0; done < target.length;) {
      const length = Math.min(target.length - done, mostBytesAtOnce);
      const { bytesRead } = await handle.read(target, done, length, offset + done);
      if (bytesRead === 0) throw changed(file);
      done += bytesRead;
    }
    const now = await handle.stat({ bigint: true });
    if (now.size !== facts.size || now.mtimeNs !== facts.mtimeNs) throw changed(file);
  });
}

async function closeAll(shards: readonly OpenFile[]): Promise<void> {
  await Promise.all(shards.map(({ handle }) => handle.close()));
}

function changed(file: string): UserError {
  return new UserError({
    code: "weights-changed",
    message: `${file} changed while it was being read.`,
    place: { file },
    remedy: "Let the download or conversion that writes it finish, then start again.",
  });
}
