/** @file A matrix as a quantizer stores it: named arrays of which every byte counts, and the format that expands them. */
import type { DType, Shape } from "../../shared/dtypes.ts";
import { dtypeBytes, elementCount } from "../../shared/dtypes.ts";
import { invariant } from "../../shared/errors.ts";

/** 16-bit floats lie as their bits in a Uint16Array. */
export type StoredData =
  | Uint8Array<ArrayBuffer>
  | Int8Array<ArrayBuffer>
  | Int32Array<ArrayBuffer>
  | Uint16Array<ArrayBuffer>
  | Float32Array<ArrayBuffer>;

export interface StoredArray {
  readonly dtype: DType;
  readonly shape: Shape;
  readonly data: StoredData;
}

/** What a format's arrays need to be read, such as bits and the size of groups. */
export type PackedSettings = Readonly<Record<string, number | string | boolean>>;

/** One matrix W [rows, columns] = [out, in] as it is stored. */
export interface PackedMatrix {
  /** Name of its {@link PackedFormat}. */
  readonly format: string;
  readonly rows: number;
  readonly columns: number;
  readonly settings: PackedSettings;
  /** Everything that expanding it needs, by name. */
  readonly tensors: ReadonlyMap<string, StoredArray>;
}

/** How arrays are made into a matrix again. */
export interface PackedFormat {
  readonly name: string;
  /** Writes W [rows, columns], row-major; RangeError for arrays that are not of this format. */
  readonly expand: (packed: PackedMatrix, into: Float32Array) => void;
}

/** An array as it is stored; RangeError where dtype, shape and data disagree. */
export function stored(dtype: DType, shape: Shape, data: StoredData): StoredArray {
  if (data.byteLength !== elementCount(shape) * dtypeBytes[dtype])
    throw new RangeError(`${data.byteLength} bytes are no ${dtype} [${shape.join(", ")}].`);
  return { dtype, shape, data };
}

/** Bytes of all arrays together. */
export function storedBytes({ tensors }: Pick<PackedMatrix, "tensors">): number {
  return [...tensors.values()].reduce((sum, { data }) => sum + data.byteLength, 0);
}

/** Bits that each weight costs with everything counted. */
export function bitsPerWeight(packed: PackedMatrix): number {
  return (8 * storedBytes(packed)) / (packed.rows * packed.columns);
}

/** W [rows, columns] in new memory. */
export function expanded(
  packed: PackedMatrix,
  formats: readonly PackedFormat[],
): Float32Array<ArrayBuffer> {
  const format = formats.find(({ name }) => name === packed.format);
  invariant(format, `there is no format ${packed.format}`);
  const into = new Float32Array(packed.rows * packed.columns);
  format.expand(packed, into);
  return into;
}

/** The array of that name; RangeError where it is missing or of another type. */
export function arrayOf(packed: PackedMatrix, name: string): StoredArray {
  const found = packed.tensors.get(name);
  if (!found) throw new RangeError(`A matrix of format ${packed.format} lacks ${name}.`);
  return found;
}

/** Bytes of an uint8 array. */
export function bytesOf(packed: PackedMatrix, name: string): Uint8Array<ArrayBuffer> {
  const { data } = arrayOf(packed, name);
  if (!(data instanceof Uint8Array)) throw new RangeError(`${name} should hold bytes.`);
  return data;
}

/** A number among the settings. */
export function numberOf({ format, settings }: PackedMatrix, name: string): number {
  const value = settings[name];
  if (typeof value !== "number") throw new RangeError(`Format ${format} needs the number ${name}.`);
  return value;
}

/** The arrays and settings of a part under a prefix, for formats that are made of others: `{...settings}`, `[...tensors]`. */
export function asPart(
  name: string,
  { tensors, settings }: PackedMatrix,
): Pick<PackedMatrix, "tensors" | "settings"> {
  const named = (key: string): string => `${name}.${key}`;
  return {
    settings: Object.fromEntries(
      Object.entries(settings).map(([key, value]) => [named(key), value]),
    ),
    tensors: new Map([...tensors].map(([key, value]) => [named(key), value])),
  };
}

/** The part that {@link asPart} put there. */
export function partOf(
  packed: PackedMatrix,
  name: string,
  format: string,
  { rows, columns }: Pick<PackedMatrix, "rows" | "columns"> = packed,
): PackedMatrix {
  const own = <T>(entries: Iterable<readonly [string, T]>): readonly (readonly [string, T])[] =>
    [...entries].flatMap(([key, value]) =>
      key.startsWith(`${name}.`) ? [[key.slice(name.length + 1), value] as const] : [],
    );
  return {
    format,
    rows,
    columns,
    settings: Object.fromEntries(own(Object.entries(packed.settings))),
    tensors: new Map(own(packed.tensors)),
  };
}
