/** @file Reads the golden vectors of 4-bit quantization; floats are hexadecimal digits of their bytes. */
import assert from "node:assert/strict";

export interface GoldenScales {
  readonly name: string;
  readonly absmax: string;
  readonly offset: number;
  readonly codes: string;
  readonly nested: string;
  readonly scales: string;
}

export interface GoldenCase {
  readonly name: string;
  readonly codeBook: "nf4" | "fp4";
  readonly values: string;
  readonly codes: string;
  readonly absmax: string;
  readonly decoded: string;
  readonly nested: GoldenScales;
}

export interface Golden {
  readonly nf4: string;
  readonly fp4: string;
  readonly dynamicMap: string;
  readonly cases: readonly GoldenCase[];
  readonly scales: readonly GoldenScales[];
  readonly means: readonly { readonly count: number; readonly mean: number }[];
  floats(hexadecimal: string): Float32Array;
}

/** Throws where the file is not what `make.py` writes. */
export function golden(json: string): Golden {
  const root = record(JSON.parse(json));
  return {
    nf4: text(root.nf4),
    fp4: text(root.fp4),
    dynamicMap: text(root.dynamicMap),
    cases: list(root.cases).map((item) => {
      const fields = record(item);
      const codeBook = fields.codeBook;
      assert.ok(codeBook === "nf4" || codeBook === "fp4");
      return {
        name: text(fields.name),
        codeBook,
        values: text(fields.values),
        codes: text(fields.codes),
        absmax: text(fields.absmax),
        decoded: text(fields.decoded),
        nested: scales(fields.nested),
      };
    }),
    scales: list(root.scales).map(scales),
    means: list(root.means).map((item) => {
      const { count, mean } = record(item);
      assert.ok(typeof count === "number" && typeof mean === "number");
      return { count, mean };
    }),
    floats: (hexadecimal) =>
      new Float32Array(Uint8Array.from(Buffer.from(hexadecimal, "hex")).buffer),
  };
}

/** The bytes of an array as hexadecimal digits. */
export function hexOf({ buffer, byteOffset, byteLength }: ArrayBufferView): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString("hex");
}

function scales(value: unknown): GoldenScales {
  const fields = record(value);
  assert.ok(typeof fields.offset === "number");
  return {
    name: text(fields.name),
    absmax: text(fields.absmax),
    offset: fields.offset,
    codes: text(fields.codes),
    nested: text(fields.nested),
    scales: text(fields.scales),
  };
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  assert.ok(typeof value === "object" && value !== null);
  return Object.fromEntries(Object.entries(value));
}

function list(value: unknown): readonly unknown[] {
  assert.ok(Array.isArray(value));
  return value;
}

function text(value: unknown): string {
  assert.ok(typeof value === "string");
  return value;
}
