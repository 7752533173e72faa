/** @file Keys that a map does not have yet, with what belongs behind them. */
import { inline } from "../../../src/shared/experiment/describe.ts";
import type { NamedField } from "../../../src/shared/experiment/lookup.ts";
import { fieldsIn, namedFields, variantOf } from "../../../src/shared/experiment/lookup.ts";
import type { Located } from "../../../src/shared/experiment/tree.ts";
import { entryOf, nodeAt } from "../../../src/shared/experiment/tree.ts";
import { isRequired } from "../../../src/shared/experiment/json-schema.ts";
import type { Field, Shape } from "../../../src/shared/schema.ts";
import { fieldMarkdown, variantMarkdown } from "../markdown.ts";
import { fieldPaths, moduleNames } from "./names.ts";
import type { CompletionContext, Suggestion } from "./suggestion.ts";

export function keySuggestions(
  ctx: CompletionContext,
  field: Field<unknown>,
): readonly Suggestion[] {
  const { cursor } = ctx;
  const map = nodeAt(cursor.document, cursor.path) ?? cursor.document;
  const missing = fieldsIn(field, map).filter(({ key }) => entryOf(map, key) === undefined);
  const own = ownKeys(field.shape, map);
  return [
    ...missing.map((named) => keySuggestion(ctx, named, own.has(named.key) ? 1 : 2)),
    ...freeKeys(ctx, field.shape),
  ];
}

/** What a variant adds to the fields of all variants stands before them. */
function ownKeys(shape: Shape, map: Located): ReadonlySet<string> {
  if (shape.kind === "list") return ownKeys(shape.of.shape, map);
  if (shape.kind !== "choice") return new Set();
  const variant = variantOf(shape, map);
  return new Set(["type", ...namedFields(variant?.fields ?? {}).map(({ key }) => key)]);
}

function keySuggestion(
  ctx: CompletionContext,
  { key, field }: NamedField,
  rank: number,
): Suggestion {
  const written = ctx.cursor.hasColon ? { insert: key } : withValue(ctx, key, field);
  const required = isRequired(field);
  return {
    label: key,
    kind: "field",
    ...written,
    ...(required ? { detail: "required" } : detailOf(field)),
    doc: fieldMarkdown(key, field),
    rank: required ? 0 : rank,
  };
}

function detailOf(field: Field<unknown>): { readonly detail?: string } {
  const { shape, presence } = field;
  if (shape.kind === "choice" && shape.preset !== undefined) return { detail: shape.preset };
  if (presence !== "default" || field.default === null) return {};
  const text = inline(field.default);
  return text.length > 30 ? {} : { detail: text };
}

type Written = Pick<Suggestion, "insert" | "snippet" | "again">;

/** The key with room for its value; what is chosen from a list is asked for at once. */
function withValue(ctx: CompletionContext, key: string, field: Field<unknown>): Written {
  const { flow, indent } = ctx.cursor;
  const { shape } = field;
  const inner = " ".repeat(indent + 2);
  switch (shape.kind) {
    case "object":
      if (shape.short !== undefined) return { insert: `${key}: `, again: true };
      return flow
        ? { insert: `${key}: { $0 }`, snippet: true, again: true }
        : { insert: `${key}:\n${inner}$0`, snippet: true, again: true };
    case "record":
      return flow
        ? { insert: `${key}: { $0 }`, snippet: true }
        : { insert: `${key}:\n${inner}$0`, snippet: true, again: true };
    case "list":
      return shape.single
        ? { insert: `${key}: `, again: true }
        : { insert: `${key}: [$0]`, snippet: true, again: true };
    case "int":
    case "number":
    case "share":
      return typeof field.default === "number"
        ? { insert: `${key}: \${1:${inline(field.default)}}`, snippet: true }
        : { insert: `${key}: ` };
    case "text":
      return shape.form === "template" || shape.form === "regex"
        ? { insert: `${key}: "$1"`, snippet: true }
        : { insert: `${key}: `, again: true };
    case "bool":
    case "duration":
    case "oneOf":
    case "choice":
    case "keyed":
    case "union":
    case "any":
      return { insert: `${key}: `, again: true };
  }
}

/** Names of the user's own choice, and those of variants that stand as keys. */
function freeKeys(ctx: CompletionContext, shape: Shape): readonly Suggestion[] {
  switch (shape.kind) {
    case "record":
      return recordKeys(ctx, shape.keys, shape.of);
    case "object":
      return shape.rest === undefined ? [] : fieldPaths(ctx).map((name) => pathKey(name, "{ $0 }"));
    case "list":
      return freeKeys(ctx, shape.of.shape);
    case "keyed":
      return Object.entries(shape.variants).map(([name, variant]) => ({
        label: name,
        kind: "variant",
        insert: `${name}: { $0 }`,
        snippet: true,
        doc: variantMarkdown(name, variant),
      }));
    case "union":
      return shape.options.flatMap((option) => freeKeys(ctx, option.shape));
    default:
      return [];
  }
}

function recordKeys(
  ctx: CompletionContext,
  keys: Extract<Shape, { kind: "record" }>["keys"],
  of: Field<unknown>,
): readonly Suggestion[] {
  if (keys === "field")
    return fieldPaths(ctx).map((name) => pathKey(name, of.shape.kind === "list" ? "[$0]" : "$0"));
  if (keys === "module")
    return moduleNames(ctx.analysis).map(({ name, detail }) => ({
      label: name,
      kind: "module",
      insert: `${name}: $0`,
      snippet: true,
      detail,
    }));
  return [];
}

function pathKey(name: string, value: string): Suggestion {
  return { label: name, kind: "field", insert: `${name}: ${value}`, snippet: true, again: true };
}
