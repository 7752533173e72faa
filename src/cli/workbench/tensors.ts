/** @file The tensors of a safetensors file from its header, and the histogram of one of them. */
import { stat } from "node:fs/promises";
import { halfToFloat32 } from "../../engine/weights/dtype-conversion.ts";
import { openWeights } from "../../engine/weights/weight-source.ts";
import type { DType } from "../../shared/dtypes.ts";
import { dtypeBytes } from "../../shared/dtypes.ts";
import { UserError } from "../../shared/errors.ts";
import type { AnalysisArray } from "../../shared/analysis.ts";
import type { TensorHistogram, TensorsView } from "../../shared/panels/tensors.ts";

export async function listTensors(file: string): Promise<TensorsView> {
  const source = await openWeights(file);
  try {
    return {
      file,
      bytes: (await stat(file)).size,
      tensors: [...source.tensors.values()].map(({ name, storedAs, shape, bytes }) => ({
        name,
        dtype: storedAs,
        shape,
        bytes,
      })),
      metadata: Object.fromEntries(source.metadata),
    };
  } finally {
    await source.close();
  }
}

/** One tensor as floats, from the safetensors file of a document's name. */
export async function readArray(document: string, name: string): Promise<AnalysisArray> {
  const source = await openWeights(document.replace(/\.json$/, ".safetensors"));
  try {
    const tensor = source.tensors.get(name);
    if (tensor?.dtype === undefined)
      throw new UserError({
        code: "unreadable-tensor",
        message: `There is no tensor ${name} beside ${document}.`,
        place: { file: document },
      });
    const values = numbers(await source.read(name), tensor.dtype);
    return {
      shape: tensor.shape,
      values: values instanceof Float64Array ? values : Float32Array.from(values),
    };
  } finally {
    await source.close();
  }
}

const bins = 80;
/** Rows are read in pieces of about this many bytes. */
const pieceBytes = 8 << 20;

/** Two passes over the file, in bounded memory: the range, then the counts. */
export async function histogram(file: string, name: string): Promise<TensorHistogram> {
  const source = await openWeights(file);
  try {
    const tensor = source.tensors.get(name);
    if (tensor?.dtype === undefined)
      throw new UserError({
        code: "unreadable-tensor",
        message: `${name} is not a tensor of ${file} whose numbers can be read.`,
        place: { file },
      });
    const { dtype, shape, bytes } = tensor;
    const [rows = 1] = shape;
    const step = shape.length === 0 ? 1 : Math.max(1, Math.floor((pieceBytes * rows) / bytes));
    const each = async (visit: (values: ArrayLike<number>) => void): Promise<void> => {
      if (shape.length === 0) {
        visit(numbers(await source.read(name), dtype));
        return;
      }
      for (let from = 0; from < rows; from += step)
        visit(numbers(await source.readRows(name, from, Math.min(rows, from + step)), dtype));
    };
    const moments = { count: 0, sum: 0, squares: 0, least: Infinity, greatest: -Infinity };
    let [zeros, nonFinite] = [0, 0];
    await each((values) => {
      for (let index = 0; index < values.length; index += 1) {
        const value = values[index] ?? NaN;
        if (!Number.isFinite(value)) {
          nonFinite += 1;
          continue;
        }
        if (value === 0) zeros += 1;
        moments.count += 1;
        moments.sum += value;
        moments.squares += value * value;
        if (value < moments.least) moments.least = value;
        if (value > moments.greatest) moments.greatest = value;
      }
    });
    const { count, least, greatest } = moments;
    const [low, high] =
      count === 0 ? [0, 1] : least === greatest ? [least - 0.5, least + 0.5] : [least, greatest];
    const counts = new Float64Array(bins);
    await each((values) => {
      for (let index = 0; index < values.length; index += 1) {
        const value = values[index] ?? NaN;
        if (!Number.isFinite(value)) continue;
        const bin = Math.min(bins - 1, Math.floor(((value - low) / (high - low)) * bins));
        counts[bin] = (counts[bin] ?? 0) + 1;
      }
    });
    const mean = count === 0 ? NaN : moments.sum / count;
    return {
      tensor: name,
      edges: Float64Array.from({ length: bins + 1 }, (_, i) => low + ((high - low) * i) / bins),
      counts,
      values: count,
      mean,
      deviation: Math.sqrt(Math.max(0, moments.squares / count - mean * mean)),
      least: count === 0 ? NaN : least,
      greatest: count === 0 ? NaN : greatest,
      zeros,
      nonFinite,
    };
  } finally {
    await source.close();
  }
}

function numbers(bytes: Uint8Array<ArrayBuffer>, dtype: DType): ArrayLike<number> {
  const length = bytes.byteLength / dtypeBytes[dtype];
  const { buffer, byteOffset: offset } = bytes;
  switch (dtype) {
    case "float64":
      return new Float64Array(buffer, offset, length);
    case "float32":
      return new Float32Array(buffer, offset, length);
    case "float16":
    case "bfloat16": {
      const values = new Float32Array(length);
      halfToFloat32(dtype, new Uint16Array(buffer, offset, length), values);
      return values;
    }
    case "int64":
      return Float64Array.from(new BigInt64Array(buffer, offset, length), Number);
    case "int32":
      return new Int32Array(buffer, offset, length);
    case "int16":
      return new Int16Array(buffer, offset, length);
    case "int8":
      return new Int8Array(buffer, offset, length);
    case "uint32":
      return new Uint32Array(buffer, offset, length);
    case "uint16":
      return new Uint16Array(buffer, offset, length);
    case "uint8":
    case "bool":
      return bytes;
  }
}
