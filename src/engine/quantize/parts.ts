/** @file What is done of a quantization, layer by layer, so that a process that ended goes on where it was. */
import { createHash } from "node:crypto";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { isRecord, parseJson } from "../../shared/wire.ts";
import { own } from "../quantizers/layouts/own.ts";
import type { PackedMatrix } from "../quantizers/packed.ts";
import { makeFolder, writeFileAtomic } from "../runs/atomic.ts";
import { unlessMissing } from "../runs/file-errors.ts";
import { openWeights } from "../weights/weight-source.ts";
import { writeSafetensors } from "../weights/write-safetensors.ts";

/** Matrices and changed tensors of one layer. */
export interface LayerResult {
  /** By module. */
  readonly matrices: ReadonlyMap<string, PackedMatrix>;
  /** Tensors that folding changed, by source, in our orientation. */
  readonly changed: ReadonlyMap<string, Float32Array>;
  /** What was measured of it, as JSON. */
  readonly about: unknown;
}

export interface Parts {
  readonly folder: string;
  /** Layers that are done, from 0. */
  readonly done: () => number;
  readonly load: (layer: number) => Promise<LayerResult>;
  readonly save: (layer: number, result: LayerResult) => Promise<void>;
  readonly remove: () => Promise<void>;
}

/** Opens the parts of the work that `identity` tells from any other; those of other work are removed. */
export async function openParts(folder: string, identity: unknown): Promise<Parts> {
  const key = createHash("sha256").update(JSON.stringify(identity)).digest("hex");
  const record = join(folder, "progress.json");
  const found = parseJson((await unlessMissing(readFile(record, "utf8"))) ?? "null");
  let done = 0;
  if (isRecord(found) && found["work"] === key && typeof found["layers"] === "number")
    done = found["layers"];
  else await rm(folder, { recursive: true, force: true });
  await makeFolder(folder);
  const nameOf = (layer: number): string => join(folder, `layer-${layer}.safetensors`);
  return {
    folder,
    done: () => done,
    async load(layer) {
      const source = await openWeights(nameOf(layer));
      try {
        const matrices = new Map<string, PackedMatrix>();
        const changed = new Map<string, Float32Array>();
        for (const name of source.tensors.keys()) {
          const packed = await source.packed?.(name);
          if (packed) matrices.set(name.slice(0, -".weight".length), packed);
          else if (name.startsWith(changedPrefix)) {
            const bytes = await source.read(name);
            changed.set(name.slice(changedPrefix.length), new Float32Array(bytes.buffer));
          }
        }
        const about = parseJson(source.metadata.get("about") ?? "null");
        return { matrices, changed, about };
      } finally {
        await source.close();
      }
    },
    async save(layer, { matrices, changed, about }) {
      const arrays = [
        ...[...matrices].flatMap(([module, packed]) => [...own.write(module, packed)]),
        ...[...changed].map(
          ([source, data]) =>
            [
              `${changedPrefix}${source}`,
              { dtype: "float32", shape: [data.length], data },
            ] as const,
        ),
      ];
      await writeSafetensors(
        nameOf(layer),
        arrays.map(([name, { dtype, shape, data }]) => ({
          name,
          dtype,
          shape,
          chunks: () => [new Uint8Array(data.buffer, data.byteOffset, data.byteLength)],
        })),
        { about: JSON.stringify(about) },
      );
      done = layer + 1;
      await writeFileAtomic(record, `${JSON.stringify({ work: key, layers: done })}\n`);
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

const changedPrefix = "changed:";
