/** @file Writes mitigated matrices: an adapter with ranks of their own, or merged weights. */
import { existsSync } from "node:fs";
import { copyFile, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Data, Matrix } from "../../../kernels/linalg/index.ts";
import type { DType } from "../../shared/dtypes.ts";
import { invariant } from "../../shared/errors.ts";
import { isRecord, parseJson } from "../../shared/wire.ts";
import type { Mitigated } from "../analyze/mitigation.ts";
import { copyFilesBeside, unquantized } from "../exports/files-beside.ts";
import { adapterFiles } from "../exports/peft-adapter.ts";
import { float32ToHalf } from "../weights/dtype-conversion.ts";
import { openWeights } from "../weights/weight-source.ts";
import type { TensorToWrite } from "../weights/write-safetensors.ts";
import { writeModelWeights, writeSafetensors } from "../weights/write-safetensors.ts";
import { addFactors, tunedMatrix } from "./merged-matrix.ts";
import { openModelFolder } from "./model-folder.ts";
import { plainName } from "./names.ts";
import type { OpenTools, SetChoice, SideChoice } from "./open-sides.ts";
import { openSet } from "./open-sides.ts";
import { readMatrix, transpose, valuesOf } from "./stored-matrix.ts";
import { savedName } from "./tuned-adapter.ts";

/** What was mitigated. */
export interface MitigatedFrom {
  readonly place: SetChoice;
  readonly side: SideChoice;
}

/** The adapter with scaled modules of their own rank and scale 1; everything else keeps its bytes. */
export async function writeAdapter(
  from: string,
  results: ReadonlyMap<string, Mitigated>,
  folder: string,
): Promise<void> {
  const json = parseJson(await readFile(join(from, adapterFiles.config), "utf8"));
  invariant(isRecord(json), "the adapter's configuration was read before");
  const rslora = json["use_rslora"] === true;
  const source = await openWeights(join(from, adapterFiles.weights));
  try {
    const ranks: [string, number][] = [];
    const alphas: [string, number][] = [];
    const tensors: TensorToWrite[] = [];
    for (const info of source.tensors.values()) {
      const name = info.name.replace(/^base_model\.model\./, "");
      const [, module, table, which] =
        /^(.*)\.lora_(embedding_)?([AB])(?:\.default)?(?:\.weight)?$/.exec(name) ?? [];
      const result = module === undefined ? undefined : results.get(plainName(`${module}.weight`));
      if (module === undefined || result?.kind !== "adapter") {
        invariant(info.dtype, `${info.name} has a known type`);
        const { dtype, shape } = info;
        const chunks = async function* () {
          yield await source.read(info.name);
        };
        tensors.push({ name: info.name, dtype, shape, chunks });
        continue;
      }
      const { A, B, scale } = result.factors;
      const scaled = { ...B, data: B.data.map((value) => value * scale) };
      // The pair of a table is stored turned.
      const [first, second] = table ? [transpose(scaled), transpose(A)] : [A, scaled];
      tensors.push(floatTensor(info.name, which === "A" ? first : second));
      if (which !== "A") continue;
      ranks.push([module, A.rows]);
      alphas.push([module, rslora ? Math.sqrt(A.rows) : A.rows]);
    }
    // peft takes the first entry that fits a module: its own stand before the patterns of the file.
    const pattern = (field: string, own: readonly [string, number][]) => ({
      ...Object.fromEntries(own),
      ...(isRecord(json[field]) ? json[field] : {}),
      ...Object.fromEntries(own),
    });
    const config =
      ranks.length === 0
        ? json
        : {
            ...json,
            rank_pattern: pattern("rank_pattern", ranks),
            alpha_pattern: pattern("alpha_pattern", alphas),
          };
    await writeFile(join(folder, adapterFiles.config), `${JSON.stringify(config, null, 2)}\n`);
    await writeSafetensors(join(folder, adapterFiles.weights), tensors, { format: "pt" });
  } finally {
    await source.close();
  }
}

/** Biases, norms and other vectors that lie whole in an adapter's folder, by their plain names. */
async function savedVectors(folder: string): Promise<ReadonlyMap<string, Data>> {
  const vectors = new Map<string, Data>();
  const file = join(folder, adapterFiles.weights);
  if (!existsSync(file)) return vectors;
  const source = await openWeights(file);
  try {
    for (const info of source.tensors.values())
      if (info.shape.length === 1)
        vectors.set(savedName(info.name), valuesOf(info, await source.read(info.name)));
  } finally {
    await source.close();
  }
  return vectors;
}

function floatTensor(name: string, { rows, columns, data }: Matrix<Data>): TensorToWrite {
  const values = Float32Array.from(data);
  return {
    name,
    dtype: "float32",
    shape: [rows, columns],
    chunks: () => [new Uint8Array(values.buffer)],
  };
}

/** The tuned model with corrected matrices in the dtype of its files; every other tensor keeps its bytes. */
export async function writeModel(
  { place, side }: MitigatedFrom,
  results: ReadonlyMap<string, Mitigated>,
  folder: string,
  tools: OpenTools,
): Promise<void> {
  const id = side.kind === "model" ? side.id : place.base;
  const model = await openModelFolder(id, place.places);
  // Merged weights hold every matrix that was trained, looked at or not.
  const every = { ...place, matrices: ".*", splitsFused: false };
  const set = side.kind === "model" ? undefined : await openSet(every, side, tools);
  const vectors = side.kind === "adapter" ? await savedVectors(side.folder) : undefined;
  const pending = new Map(set?.matrices.map((matrix) => [plainName(matrix.tensor), matrix]));
  try {
    const tensors = [...model.source.tensors.values()].map((info): TensorToWrite => {
      const { name, dtype, shape } = info;
      invariant(dtype, `${name} has a known type`);
      const plain = plainName(name);
      const result = results.get(plain);
      const matrix = pending.get(plain);
      const stored = model.matrices.get(plain);
      const correction = result?.kind === "correction" ? result.correction : undefined;
      return {
        name,
        dtype,
        shape,
        async *chunks() {
          if (!stored || (!matrix && !correction)) {
            const vector = vectors?.get(plain);
            const fits = vector?.length === shape[0] && shape.length === 1;
            yield vector && fits ? bytesOf(vector, dtype) : await model.source.read(name);
            return;
          }
          const base = (await readMatrix(stored)).W;
          const W = Float64Array.from(base.data);
          // A whole new update stands in the place of the old one.
          if (result?.kind === "adapter") addFactors(W, base.columns, result.factors);
          else if (matrix) {
            const { update } = await (await matrix.prepare()).load();
            if (update) W.set(tunedMatrix(base, update).data);
          }
          if (correction) addFactors(W, base.columns, correction);
          const turned = stored.transposed ? transpose({ ...base, data: W }) : { ...base, data: W };
          yield bytesOf(turned.data, dtype);
        },
      };
    });
    await writeModelWeights(folder, tensors, { format: "pt" }, 5e9);
    if (!(await stat(model.path)).isDirectory()) return;
    await copyFilesBeside(model.path, folder);
    const config = join(model.path, "config.json");
    const isPacked = [...model.source.tensors.values()].some(({ packed }) => packed !== undefined);
    if (isPacked && isRecord(model.config)) {
      const text = JSON.stringify(unquantized(model.config), null, 2);
      await writeFile(join(folder, "config.json"), `${text}\n`);
    } else if (existsSync(config)) await copyFile(config, join(folder, "config.json"));
  } finally {
    await set?.close();
    await model.close();
  }
}

function bytesOf(values: Data, dtype: DType): Uint8Array {
  if (dtype === "float64") return new Uint8Array(Float64Array.from(values).buffer);
  const floats = Float32Array.from(values);
  if (dtype === "float32") return new Uint8Array(floats.buffer);
  invariant(dtype === "float16" || dtype === "bfloat16", `matrices are not stored as ${dtype}`);
  const halves = new Uint16Array(floats.length);
  float32ToHalf(dtype, floats, halves);
  return new Uint8Array(halves.buffer);
}
