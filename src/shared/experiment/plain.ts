/** @file A checked value back in the file's own terms: file names, units, variants as one map. */
import { invariant } from "../errors.ts";
import type { Field, Fields, Json, Shape, Variant } from "../schema.ts";
import { durationText, isDuration } from "./describe.ts";
import { namedFields } from "./lookup.ts";

/** `value`, as its declaration made it, in the words of a file; the same file reads back to it. */
export function plainFields(fields: Fields, value: unknown): Readonly<Record<string, Json>> {
  const pairs = namedFields(fields).map(
    ({ property, key, field }) => [key, plainValue(field, propertyOf(value, property))] as const,
  );
  return Object.fromEntries(pairs);
}

function plainValue({ shape }: Field<unknown>, value: unknown): Json {
  if (value === null || value === undefined) return null;
  switch (shape.kind) {
    case "int":
    case "number":
    case "share":
    case "bool":
    case "text":
    case "oneOf":
    case "any":
      return jsonOf(value);
    case "duration":
      return isDuration(value) ? durationText(value) : null;
    case "list":
      return plainList(shape, value);
    case "record":
      return plainEntries(shape.of, value);
    case "object": {
      const own = plainFields(shape.fields, value);
      const { rest } = shape;
      if (rest === undefined) return own;
      return { ...own, ...plainEntries(rest.of, propertyOf(value, rest.property)) };
    }
    case "choice":
      return plainChoice(shape, value);
    case "keyed": {
      const [type, variant] = variantOf(shape.variants, value);
      const config = plainFields(variant.fields, propertyOf(value, "config"));
      return Object.keys(config).length === 0 ? type : { [type]: config };
    }
    case "union":
      return plainUnion(shape.options, value);
  }
}

function plainList(shape: Extract<Shape, { readonly kind: "list" }>, value: unknown): Json {
  if (!Array.isArray(value)) return null;
  const items = value.map((item: unknown) => plainValue(shape.of, item));
  const [only] = items;
  // One method stands without brackets, so that its fields keep their short paths (`method.r`).
  const lone = shape.single && shape.of.shape.kind === "choice" && items.length === 1;
  return lone && only !== undefined ? only : items;
}

function plainEntries(of: Field<unknown>, value: unknown): Readonly<Record<string, Json>> {
  if (typeof value !== "object" || value === null) return {};
  const pairs = Object.entries(value).map(([key, inner]) => [key, plainValue(of, inner)] as const);
  return Object.fromEntries(pairs);
}

function plainChoice(shape: Extract<Shape, { readonly kind: "choice" }>, value: unknown): Json {
  const [type, variant] = variantOf(shape.variants, value);
  const own = plainFields(variant.fields, propertyOf(value, "config"));
  const common = Object.entries(plainFields(shape.common, value)).filter(
    ([key]) => variant.omits?.includes(key) !== true,
  );
  return { type, ...own, ...Object.fromEntries(common) };
}

function plainUnion(options: readonly Field<unknown>[], value: unknown): Json {
  const wanted: readonly Shape["kind"][] = isDuration(value)
    ? ["duration"]
    : Array.isArray(value)
      ? ["list"]
      : typeof value === "object"
        ? ["object", "choice", "record", "keyed"]
        : [];
  const option = options.find(({ shape: { kind } }) => wanted.includes(kind));
  return option === undefined ? jsonOf(value) : plainValue(option, value);
}

function variantOf(
  variants: Readonly<Record<string, Variant>>,
  value: unknown,
): readonly [string, Variant] {
  const type = propertyOf(value, "type");
  const variant = typeof type === "string" ? variants[type] : undefined;
  invariant(
    typeof type === "string" && variant !== undefined,
    "a choice names one of its variants",
  );
  return [type, variant];
}

function propertyOf(value: unknown, property: string): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  return Object.entries(value).find(([key]) => key === property)?.[1];
}

function jsonOf(value: unknown): Json {
  if (typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  if (Array.isArray(value)) return value.map(jsonOf);
  if (typeof value !== "object" || value === null) return null;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, jsonOf(inner)]));
}
