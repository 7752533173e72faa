/** @file Walks a parsed JSON file and says by name what is missing or of the wrong kind. */
import { UserError } from "../../../shared/errors.ts";
import { isRecord } from "../../../shared/wire.ts";

/** A value inside a JSON file together with the way to it, such as `model.merges`. */
export interface JsonValue {
  readonly file: string;
  readonly path: string;
  readonly value: unknown;
}

export function jsonValue(file: string, value: unknown): JsonValue {
  return { file, path: "", value };
}

/** The member `name`, whose value is `undefined` where it is absent or null. */
export function member(parent: JsonValue, name: string): JsonValue {
  const value =
    isRecord(parent.value) && Object.hasOwn(parent.value, name) ? parent.value[name] : undefined;
  const path = parent.path === "" ? name : `${parent.path}.${name}`;
  return { file: parent.file, path, value: value === null ? undefined : value };
}

export function elements(list: JsonValue): readonly JsonValue[] {
  return items(list).map((_, index) => element(list, index));
}

/** The bare values of a list, for the long ones. */
export function items(list: JsonValue): readonly unknown[] {
  return Array.isArray(list.value) ? list.value : refuse(list, "a list");
}

export function element(list: JsonValue, index: number): JsonValue {
  return { file: list.file, path: `${list.path}[${index}]`, value: items(list)[index] };
}

export function entries(record: JsonValue): readonly (readonly [name: string, value: unknown])[] {
  return isRecord(record.value) ? Object.entries(record.value) : refuse(record, "an object");
}

export function text(value: JsonValue): string {
  return typeof value.value === "string" ? value.value : refuse(value, "a string");
}

export function textOr<T>(value: JsonValue, fallback: T): string | T {
  return value.value === undefined ? fallback : text(value);
}

export function flag(value: JsonValue, fallback: boolean): boolean {
  if (value.value === undefined) return fallback;
  return typeof value.value === "boolean" ? value.value : refuse(value, "true or false");
}

/** A whole number that fits an id or a count. */
export function count(value: JsonValue): number {
  const number = value.value;
  if (typeof number === "number" && Number.isInteger(number) && number >= 0 && number <= 0x7fffffff)
    return number;
  return refuse(value, "a whole number of at least 0");
}

/** Throws that `value` should have been `wanted`. */
export function refuse(value: JsonValue, wanted: string): never {
  const found = value.value === undefined ? "is missing" : `is ${describe(value.value)}`;
  throw new UserError({
    code: "malformed-tokenizer",
    message: `${value.path === "" ? "The file" : `\`${value.path}\``} ${found}, but must be ${wanted}.`,
    place: { file: value.file, ...(value.path === "" ? {} : { field: value.path }) },
    remedy: "Take the file again from where the model came from.",
  });
}

/** A list whose elements are unchecked; `undefined` where the value is none. */
export function asList(value: unknown): readonly unknown[] | undefined {
  return Array.isArray(value) ? value : undefined;
}

function describe(value: unknown): string {
  const shown = JSON.stringify(value);
  return shown.length > 60 ? `${shown.slice(0, 60)}…` : shown;
}
