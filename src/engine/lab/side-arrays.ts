/** @file Arrays beside an analysis file, too long for JSON: gathered as they come, then one safetensors file. */
import { appendFile, open, rename, rm, truncate } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { invariant } from "../../shared/errors.ts";
import { isRecord, parseJson } from "../../shared/wire.ts";
import { explainingWrites, unlessMissing } from "../runs/file-errors.ts";
import type { WeightSource } from "../weights/weight-source.ts";
import { openWeights } from "../weights/weight-source.ts";
import { writeSafetensors } from "../weights/write-safetensors.ts";

export interface NamedArray {
  readonly name: string;
  readonly shape: readonly [rows: number, columns: number];
  readonly values: Float32Array<ArrayBuffer>;
}

export interface SideArrays {
  readonly has: (name: string) => boolean;
  /** Keeps one, so that it outlives the process; of two of a name the later counts. */
  readonly add: (array: NamedArray) => Promise<void>;
  /** Writes those of these names to the file; what was gathered goes. */
  readonly finish: (names: readonly string[]) => Promise<void>;
}

/** Where an array's values lie in the file that gathers them. */
interface Kept {
  readonly shape: readonly [number, number];
  readonly start: number;
}

/**
 * `path` is the safetensors file, `gathered` the file beside it that takes arrays one by one: a line of JSON and the
 * values as they are. What was cut off at its end is dropped.
 */
export async function openSideArrays(path: string, gathered: string): Promise<SideArrays> {
  const whole = await openWeights(path).catch(() => undefined);
  const before = new Set(whole?.tensors.keys());
  await whole?.close();
  const kept = await readGathered(gathered);
  let { end } = kept;
  return {
    has: (name) => kept.arrays.has(name) || before.has(name),
    async add({ name, shape, values }) {
      invariant(values.length === shape[0] * shape[1], `${name} has another shape`);
      const head = Buffer.from(`${JSON.stringify({ name, shape })}\n`);
      const data = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
      await explainingWrites(gathered, () => appendFile(gathered, Buffer.concat([head, data])));
      kept.arrays.set(name, { shape, start: end + head.length });
      end += head.length + data.length;
    },
    async finish(names) {
      if (kept.arrays.size === 0) return;
      const old = names.some((name) => !kept.arrays.has(name) && before.has(name))
        ? await openWeights(path)
        : undefined;
      const file = await open(gathered);
      const made = `${path}.new`;
      try {
        const tensors = names.flatMap((name) => tensorOf(name, kept.arrays, file, old));
        await writeSafetensors(made, tensors, { format: "spectune-analysis" });
      } finally {
        await file.close();
        await old?.close();
      }
      await rename(made, path);
      await rm(gathered, { force: true });
      for (const name of names) before.add(name);
      kept.arrays.clear();
      end = 0;
    },
  };
}

function tensorOf(
  name: string,
  arrays: ReadonlyMap<string, Kept>,
  file: FileHandle,
  old: WeightSource | undefined,
) {
  const kept = arrays.get(name);
  const shape = kept?.shape ?? old?.tensors.get(name)?.shape;
  if (!shape) return [];
  return [
    {
      name,
      dtype: "float32" as const,
      shape,
      async *chunks() {
        if (kept) {
          const bytes = new Uint8Array(4 * kept.shape[0] * kept.shape[1]);
          await file.read(bytes, 0, bytes.length, kept.start);
          yield bytes;
        } else if (old) yield await old.read(name);
      },
    },
  ];
}

/** The longest line before values. */
const headBytes = 65536;

async function readGathered(path: string): Promise<{ arrays: Map<string, Kept>; end: number }> {
  const arrays = new Map<string, Kept>();
  const file = await unlessMissing(open(path));
  if (!file) return { arrays, end: 0 };
  let end = 0;
  const { size } = await file.stat();
  try {
    const head = Buffer.alloc(headBytes);
    while (end < size) {
      const { bytesRead } = await file.read(head, 0, headBytes, end);
      const line = head.subarray(0, bytesRead).indexOf("\n");
      const said = line < 0 ? undefined : parseJson(head.toString("utf8", 0, line));
      if (!isRecord(said) || typeof said["name"] !== "string" || !Array.isArray(said["shape"]))
        break;
      const [rows, columns] = said["shape"].map(Number);
      if (!Number.isSafeInteger(rows) || !Number.isSafeInteger(columns)) break;
      const shape = [rows ?? 0, columns ?? 0] as const;
      const start = end + line + 1;
      if (start + 4 * shape[0] * shape[1] > size) break;
      arrays.set(said["name"], { shape, start });
      end = start + 4 * shape[0] * shape[1];
    }
  } finally {
    await file.close();
  }
  if (end < size) await truncate(path, end);
  return { arrays, end };
}
