/** @file Reads one matrix of a safetensors folder as [out, in], with the hash of what was read. */
import { createHash } from "node:crypto";
import type { Data, Matrix } from "../../../kernels/linalg/index.ts";
import type { DType } from "../../shared/dtypes.ts";
import { at, UserError } from "../../shared/errors.ts";
import { dtypeToRead, refuseNonFinite } from "../weights/check-tensor.ts";
import { halfToFloat32 } from "../weights/dtype-conversion.ts";
import type { TensorInfo } from "../weights/safetensors.ts";
import type { Bytes, WeightSource } from "../weights/weight-source.ts";

/** Rows of a fused matrix that are one of its parts. */
export interface Part {
  readonly label: string;
  /** Indices of rows of [out, in]. */
  readonly rows: readonly number[];
}

/** A matrix as it lies in a file, before it is read. */
export interface StoredMatrix {
  readonly source: WeightSource;
  readonly info: TensorInfo;
  /** Stored as [in, out]: it is turned round. */
  readonly transposed: boolean;
  readonly part?: Part;
}

export interface ReadMatrix {
  readonly W: Matrix<Data>;
  /** SHA-256 over dtype, orientation, part and bytes. */
  readonly hash: string;
}

const floats: ReadonlySet<DType | undefined> = new Set([
  "float64",
  "float32",
  "float16",
  "bfloat16",
] as const);

/** Whether a tensor is a matrix of floating-point numbers. */
export function isFloatMatrix({ shape, dtype }: TensorInfo): boolean {
  return shape.length === 2 && floats.has(dtype) && at(shape, 0) > 0 && at(shape, 1) > 0;
}

export function dtypeOf({ info }: Pick<StoredMatrix, "info">): DType {
  return dtypeToRead(info);
}

/** [out, in] of a stored matrix. */
export function sizeOf({ info, transposed, part }: Omit<StoredMatrix, "source">): {
  readonly out: number;
  readonly in: number;
} {
  const [rows, columns] = [at(info.shape, 0), at(info.shape, 1)];
  const [out, width] = transposed ? [columns, rows] : [rows, columns];
  return { out: part?.rows.length ?? out, in: width };
}

/** Reads it; NaN and infinite values are a {@link UserError} that names file, tensor and place. */
export async function readMatrix(stored: StoredMatrix): Promise<ReadMatrix> {
  const { source, info, transposed, part } = stored;
  const bytes = await source.read(info.name);
  refuseNonFinite(info, bytes);
  const hash = createHash("sha256")
    .update(`${info.storedAs} ${info.shape.join("x")} ${transposed ? "turned" : "as stored"}`)
    .update(part === undefined ? "" : ` ${part.label}`)
    .update(bytes)
    .digest("hex");
  const whole = {
    rows: at(info.shape, 0),
    columns: at(info.shape, 1),
    data: valuesOf(info, bytes),
  };
  const turned = transposed ? transpose(whole) : whole;
  return { W: part === undefined ? turned : rowsOf(turned, part.rows), hash };
}

/** A tensor's values; float32 for everything but float64, which holds the halves exactly. */
export function valuesOf(info: TensorInfo, bytes: Bytes): Data {
  const dtype = dtypeToRead(info);
  switch (dtype) {
    case "float64":
      return new Float64Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 8);
    case "float32":
      return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
    case "float16":
    case "bfloat16": {
      const values = new Float32Array(bytes.byteLength / 2);
      const halves = new Uint16Array(bytes.buffer, bytes.byteOffset, values.length);
      halfToFloat32(dtype, halves, values);
      return values;
    }
    default:
      throw new UserError({
        code: "unsupported-tensor-dtype",
        message: `${info.name} in ${info.file} is stored as ${info.storedAs}, which has no spectrum here.`,
        place: { file: info.file, field: info.name },
        remedy: "Use a copy of the model in F32, F16 or BF16.",
      });
  }
}

export function transpose({ rows, columns, data }: Matrix<Data>): Matrix<Data> {
  const turned =
    data instanceof Float64Array ? new Float64Array(data.length) : new Float32Array(data.length);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++)
      turned[column * rows + row] = data[row * columns + column] ?? NaN;
  return { rows: columns, columns: rows, data: turned };
}

export function rowsOf({ columns, data }: Matrix<Data>, rows: readonly number[]): Matrix<Data> {
  const kept =
    data instanceof Float64Array
      ? new Float64Array(rows.length * columns)
      : new Float32Array(rows.length * columns);
  for (const [place, row] of rows.entries())
    kept.set(data.subarray(row * columns, (row + 1) * columns), place * columns);
  return { rows: rows.length, columns, data: kept };
}
