/** @file What the fixtures of quantizers are made of: JSON of known forms, and arrays as hexadecimal bytes. */
import assert from "node:assert/strict";

export function record(value: unknown): Readonly<Record<string, unknown>> {
  assert.ok(typeof value === "object" && value !== null && !Array.isArray(value));
  return Object.fromEntries(Object.entries(value));
}

export function list(value: unknown): readonly unknown[] {
  assert.ok(Array.isArray(value));
  return value;
}

export function whole(value: unknown): number {
  assert.ok(typeof value === "number" && Number.isInteger(value));
  return value;
}

export function bytes(hexadecimal: unknown): Uint8Array<ArrayBuffer> {
  assert.ok(typeof hexadecimal === "string");
  return Uint8Array.from(Buffer.from(hexadecimal, "hex"));
}

export function floats(hexadecimal: unknown): Float32Array<ArrayBuffer> {
  return new Float32Array(bytes(hexadecimal).buffer);
}
