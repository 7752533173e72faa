/** @file Values in the shortest form in which a file may say them: `cosine` for `{ type: cosine }`. */
import type { Json } from "../../src/shared/schema.ts";

export type JsonMap = Readonly<Record<string, Json>>;

/** Single-field maps of a choice or a model as their short form, empty maps left out. */
export function shortForms(value: Json): Json {
  if (Array.isArray(value)) return value.map(shortForms);
  if (!isMap(value)) return value;
  const entries = Object.entries(value).map(([key, inner]) => [key, shortForms(inner)] as const);
  const [only] = entries;
  const isShort =
    only !== undefined && entries.length === 1 && (only[0] === "type" || only[0] === "id");
  return isShort ? only[1] : Object.fromEntries(entries);
}

export function isMap(value: Json | undefined): value is JsonMap {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
