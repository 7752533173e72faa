/** @file Weights of a folder that holds quantized matrices: each is one tensor again under its old name, expanded when it is read. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { DType } from "../../shared/dtypes.ts";
import { dtypeBytes } from "../../shared/dtypes.ts";
import { at, invariant, UserError } from "../../shared/errors.ts";
import { isRecord, parseJson } from "../../shared/wire.ts";
import { packedFormats } from "../quantizers/formats/table.ts";
import { awqLayout } from "../quantizers/layouts/awq.ts";
import { bitsandbytesLayout } from "../quantizers/layouts/bitsandbytes.ts";
import { gptqLayout } from "../quantizers/layouts/gptq.ts";
import type { Layout, PackedInfo } from "../quantizers/layouts/layout.ts";
import { own } from "../quantizers/layouts/own.ts";
import type { PackedMatrix, StoredArray, StoredData } from "../quantizers/packed.ts";
import { expanded, stored } from "../quantizers/packed.ts";
import { dtypeToRead } from "./check-tensor.ts";
import type { PackedAs, TensorInfo } from "./safetensors.ts";
import type { Bytes, WeightSource } from "./weight-source.ts";

const layouts: readonly Layout[] = [
  own,
  gptqLayout,
  awqLayout,
  bitsandbytesLayout("nf4"),
  bitsandbytesLayout("fp4"),
];

/** The same source where nothing in it is packed. */
export async function withPacked(source: WeightSource): Promise<WeightSource> {
  const marked = [...source.tensors.keys()].flatMap((name) => {
    const its = layouts.filter(({ mark }) => name.endsWith(mark));
    return its.length > 0 ? [{ layouts: its, name }] : [];
  });
  if (marked.length === 0) return source;
  const config = await modelConfig(source.path);
  const about = config["quantization_config"];
  const turned = config["model_type"] === "gpt2";
  const found = new Map<string, PackedInfo>();
  const ownerOf = new Map<string, string>();
  for (const { layouts: its, name } of marked) {
    const mark = its.some(({ reads }) => reads) ? await source.read(name) : undefined;
    let info: PackedInfo | undefined;
    for (const layout of its) {
      const module = name.slice(0, -layout.mark.length);
      info ??= layout.find(module, source.tensors, mark, isRecord(about) ? about : {});
    }
    if (!info || !packedFormats.some((format) => format.name === info.format))
      throw unreadable(source, name);
    found.set(`${info.module}.weight`, info);
    for (const array of info.arrays) ownerOf.set(array, `${info.module}.weight`);
  }
  const tensors = new Map<string, TensorInfo>();
  for (const [name, info] of source.tensors) {
    // What is packed stands where its first array does.
    const owner = ownerOf.get(name);
    const of = found.get(owner ?? "");
    if (owner === undefined || !of) tensors.set(name, info);
    else if (!tensors.has(owner)) tensors.set(owner, logical(owner, of, source, turned));
  }
  const packedOf = async (name: string): Promise<PackedMatrix | undefined> => {
    const info = found.get(name);
    if (!info) return undefined;
    const read = new Map<string, StoredArray>();
    for (const array of info.arrays) read.set(array, await readArray(source, array));
    try {
      return info.unpack(read);
    } catch (error) {
      if (error instanceof RangeError) throw unreadable(source, name, error);
      throw error;
    }
  };
  const wholeOf = async (name: string): Promise<Float32Array<ArrayBuffer> | undefined> => {
    const packed = await packedOf(name);
    if (!packed) return undefined;
    try {
      const values = expanded(packed, packedFormats);
      return turned ? transposed(values, packed.rows, packed.columns) : values;
    } catch (error) {
      if (error instanceof RangeError) throw unreadable(source, name, error);
      throw error;
    }
  };
  return {
    ...source,
    tensors,
    packed: packedOf,
    async read(name, into) {
      const values = await wholeOf(name);
      return values ? given(values, into) : source.read(name, into);
    },
    async readRows(name, start, end, into) {
      const values = await wholeOf(name);
      if (!values) return source.readRows(name, start, end, into);
      const [rows = 1] = tensors.get(name)?.shape ?? [];
      const width = values.length / rows;
      return given(values.slice(start * width, end * width), into);
    },
  };
}

/** As one tensor of float32 in the orientation of the checkpoint that it was. */
function logical(
  name: string,
  { rows, columns, format, settings, arrays, inOrder }: PackedInfo,
  { tensors }: WeightSource,
  turned: boolean,
): TensorInfo {
  const its = arrays.map((array) => {
    const info = tensors.get(array);
    invariant(info, `${array} was found before`);
    return info;
  });
  const bytes = its.reduce((sum, one) => sum + one.bytes, 0);
  const packed: PackedAs = { format, settings, rows, columns, bytes, inOrder };
  return {
    name,
    file: at(its, 0).file,
    dtype: "float32",
    storedAs: `packed ${format}`,
    shape: turned ? [columns, rows] : [rows, columns],
    offset: at(its, 0).offset,
    bytes: rows * columns * dtypeBytes.float32,
    packed,
  };
}

async function readArray(source: WeightSource, name: string): Promise<StoredArray> {
  const info = source.tensors.get(name);
  invariant(info, `${name} was found before`);
  const dtype = dtypeToRead(info);
  return stored(dtype, info.shape, dataOf(dtype, await source.read(name)));
}

function dataOf(dtype: DType, bytes: Bytes): StoredData {
  const { buffer, byteOffset, byteLength } = bytes;
  switch (dtype) {
    case "int32":
      return new Int32Array(buffer, byteOffset, byteLength / 4);
    case "int8":
      return new Int8Array(buffer, byteOffset, byteLength);
    case "float32":
      return new Float32Array(buffer, byteOffset, byteLength / 4);
    case "float16":
    case "bfloat16":
    case "uint16":
      return new Uint16Array(buffer, byteOffset, byteLength / 2);
    default:
      return bytes;
  }
}

function given(values: Float32Array<ArrayBuffer>, into: Bytes | undefined): Bytes {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  if (!into) return bytes;
  into.set(bytes);
  return into;
}

function transposed(
  from: Float32Array<ArrayBuffer>,
  rows: number,
  columns: number,
): Float32Array<ArrayBuffer> {
  const to = new Float32Array(from.length);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) to[j * rows + i] = from[i * columns + j] ?? NaN;
  return to;
}

/** config.json beside the weights; empty where there is none. */
async function modelConfig(path: string): Promise<Readonly<Record<string, unknown>>> {
  for (const file of [join(path, "config.json"), join(dirname(path), "config.json")]) {
    if (!existsSync(file)) continue;
    const json = parseJson(await readFile(file, "utf8"));
    return isRecord(json) ? json : {};
  }
  return {};
}

function unreadable({ path }: WeightSource, name: string, cause?: unknown): UserError {
  return new UserError({
    code: "packed-weights",
    message: `${path} holds quantized weights that cannot be read, at ${name}${cause instanceof Error ? `: ${cause.message}` : "."}`,
    place: { file: path, field: name },
    remedy: "Use the model that they were made from, or quantize it again with spectune quantize.",
    ...(cause === undefined ? {} : { cause }),
  });
}
