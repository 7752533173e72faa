/** @file Declarations in words: what a field expects, for messages, hover and docs. */
import type { Bounds, Duration, Field, Fields, Shape } from "../schema.ts";
import { namedFields } from "./lookup.ts";

/** What a value must be, as the end of "must be …". */
export function expectation(shape: Shape): string {
  switch (shape.kind) {
    case "int":
      return `a ${shape.bounds.powerOfTwo === true ? "power of two" : "whole number"}${boundsInWords(shape.bounds)}`;
    case "number":
      return `a number${boundsInWords(shape.bounds)}`;
    case "share":
      return "a share from 0 to 1, or a percentage";
    case "bool":
      return "true or false";
    case "duration":
      return "a duration such as `50 steps`, `1 epoch` or `end`";
    case "any":
      return "a value";
    case "text":
      return textForms[shape.form];
    case "oneOf":
      return oneOfWords([...shape.literals.keys()]);
    case "list": {
      const item = expectation(shape.of.shape);
      if (shape.single) return `${item}, or a list of such`;
      return shape.of.shape.kind === "any" ? "a list" : `a list, each item ${item}`;
    }
    case "record":
      return `a map whose values are each ${expectation(shape.of.shape)}`;
    case "object": {
      const keys = namedFields(shape.fields).map(({ key }) => key);
      const map = keys.length > 6 ? "a map of its fields" : `a map with ${enumerate(keys, "and")}`;
      const lone = shape.short === undefined ? undefined : shape.fields[shape.short];
      return lone === undefined ? map : `${expectation(lone.shape)}, or ${map}`;
    }
    case "choice":
      return `${oneOfWords(Object.keys(shape.variants))}, or a map with that as its type`;
    case "keyed":
      return `${oneOfWords(Object.keys(shape.variants))}, or a map from it to its own fields`;
    case "union":
      return shape.options.map((option) => expectation(option.shape)).join(", or ");
  }
}

const textForms = {
  plain: "a text",
  path: "a path",
  model: "a folder or a hub id",
  regex: "a regular expression",
  template: "a template",
  metric: "the name of a metric",
  field: "the name of a field",
  column: "the name of a column",
  module: "the name of a module",
} as const;

function oneOfWords(words: readonly string[]): string {
  return words.length > 16 ? "one of the known names" : enumerate(words, "or");
}

const mostWords = 24;

/** `a`, `b` or `c`, each in backticks; of very many the first. */
export function enumerate(words: readonly string[], last: "or" | "and"): string {
  const quoted = words.slice(0, mostWords).map((word) => `\`${word}\``);
  if (words.length > mostWords)
    return `${quoted.join(", ")} and ${words.length - mostWords} others`;
  const tail = quoted.pop();
  if (tail === undefined) return "";
  return quoted.length === 0 ? tail : `${quoted.join(", ")} ${last} ${tail}`;
}

export function boundsInWords({ min, max, above, below }: Bounds): string {
  const parts = [
    ...(min === undefined || above !== undefined ? [] : [`at least ${min}`]),
    ...(above === undefined ? [] : [`above ${above}`]),
    ...(max === undefined || below !== undefined ? [] : [`at most ${max}`]),
    ...(below === undefined ? [] : [`below ${below}`]),
  ];
  return parts.length === 0 ? "" : ` ${parts.join(" and ")}`;
}

/** A default, or any value of a field, as the file would say it on one line. */
export function inline(value: unknown): string {
  if (value === null || value === undefined) return "null";
  if (typeof value === "number") return numberText(value);
  if (typeof value === "string") return value === "" ? '""' : value;
  if (typeof value === "boolean") return String(value);
  if (Array.isArray(value)) return `[${value.map(inline).join(", ")}]`;
  if (isDuration(value)) return durationText(value);
  const parts = Object.entries(value).map(([key, inner]) => `${key}: ${inline(inner)}`);
  return parts.length === 0 ? "{}" : `{ ${parts.join(", ")} }`;
}

export function isDuration(value: unknown): value is Duration {
  if (typeof value !== "object" || value === null || !("unit" in value)) return false;
  if (value.unit === "end") return Object.keys(value).length === 1;
  return (
    (value.unit === "steps" || value.unit === "epochs") &&
    "count" in value &&
    typeof value.count === "number"
  );
}

export function durationText(value: Duration): string {
  if (value.unit === "end") return "end";
  const unit = value.count === 1 ? value.unit.slice(0, -1) : value.unit;
  return `${numberText(value.count)} ${unit}`;
}

/** A number as every YAML reader reads it: PyYAML takes `2e-4` for a text, `2.0e-4` for a number. */
export function numberText(value: number): string {
  const shortest = String(value);
  const magnitude = Math.abs(value);
  if (!shortest.includes("e") && (magnitude >= 0.001 || magnitude === 0)) return shortest;
  const [mantissa = "", exponent = ""] = value.toExponential().split("e");
  return `${mantissa.includes(".") ? mantissa : `${mantissa}.0`}e${exponent}`;
}

/** One declared field for people: hover, `methods NAME`, the generated docs. */
export interface FieldDescription {
  readonly key: string;
  readonly doc: string;
  readonly expects: string;
  /** As the file would write it; absent where the file must say the field. */
  readonly default?: string;
  readonly unit?: string;
  readonly aliases: readonly string[];
}

/** The declarations in words, in their order. */
export function describe(fields: Fields): readonly FieldDescription[] {
  return namedFields(fields).map(({ key, field }) => describeField(key, field));
}

export function describeField(key: string, field: Field<unknown>): FieldDescription {
  const preset =
    field.shape.kind === "choice" && field.shape.preset !== undefined
      ? field.shape.preset
      : field.presence === "default"
        ? inline(field.default)
        : undefined;
  return {
    key,
    doc: field.doc,
    expects: expectation(field.shape),
    ...(preset === undefined ? {} : { default: preset }),
    ...(field.unit === undefined ? {} : { unit: field.unit }),
    aliases: field.aliases ?? [],
  };
}
