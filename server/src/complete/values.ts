/** @file Values of a field: words, variants, numbers, expressions, and names from the world around. */
import { inline } from "../../../src/shared/experiment/describe.ts";
import { entryOf, nodeAt } from "../../../src/shared/experiment/tree.ts";
import type { Field, Shape, TextForm } from "../../../src/shared/schema.ts";
import { declaredAt } from "../declared.ts";
import { variantMarkdown } from "../markdown.ts";
import { keySuggestions } from "./keys.ts";
import { allModules, columnNames, fieldPaths, metricNames, moduleNames } from "./names.ts";
import { modelSuggestions, pathSuggestions } from "./paths.ts";
import type { CompletionContext, Suggestion } from "./suggestion.ts";

export function valueSuggestions(
  ctx: CompletionContext,
  field: Field<unknown>,
): readonly Suggestion[] {
  const keys = ctx.cursor.kind === "item" && !ctx.cursor.flow ? keySuggestions(ctx, field) : [];
  const there = new Set(itemsBeside(ctx));
  const values = shapeSuggestions(ctx, field, choiceOf(ctx) ?? field.shape);
  return [...values.filter(({ insert }) => !there.has(insert)), ...keys];
}

/** `type:` of a choice is one of its variants. */
function choiceOf({ analysis, cursor, path }: CompletionContext): Shape | undefined {
  if (path.at(-1) !== "type") return undefined;
  const owner = declaredAt(analysis.root, cursor.document, cursor.path.slice(0, -1))?.field.shape;
  const shape = owner?.kind === "list" ? owner.of.shape : owner;
  return shape?.kind === "choice" ? shape : undefined;
}

/** What the list has already. */
function itemsBeside({ cursor }: CompletionContext): readonly string[] {
  const list = nodeAt(cursor.document, cursor.path.slice(0, -1));
  if (cursor.kind === "value" || list?.kind !== "list") return [];
  return list.items.flatMap((item) => (item.kind === "text" ? [item.value] : []));
}

function shapeSuggestions(
  ctx: CompletionContext,
  field: Field<unknown>,
  shape: Shape,
): readonly Suggestion[] {
  switch (shape.kind) {
    case "bool":
      return ["true", "false"].map((word) => ({
        label: word,
        kind: "value",
        insert: word,
        ...(String(field.default) === word && { detail: "default" }),
      }));
    case "oneOf":
      return [...shape.literals].map(([word, doc], index) => ({
        label: word,
        kind: "value",
        insert: word,
        rank: index,
        ...(doc !== "" && { doc }),
        ...(field.default === word && { detail: "default" }),
      }));
    case "choice":
      return Object.entries(shape.variants).map(([name, variant], index) => ({
        label: name,
        kind: "variant",
        insert: name,
        rank: index,
        ...(variant.title !== undefined && { detail: variant.title }),
        doc: variantMarkdown(name, variant),
      }));
    case "keyed":
      return Object.entries(shape.variants).map(([name, variant], index) => ({
        label: name,
        kind: "variant",
        insert: name,
        rank: index,
        doc: variantMarkdown(name, variant),
      }));
    case "duration":
      return ["1 epoch", "50 steps", "end"].map((text, index) => ({
        label: text,
        kind: "value",
        insert: text,
        rank: index,
        ...(inline(field.default) === text && { detail: "default" }),
      }));
    case "int":
    case "number":
    case "share":
      return [...defaultSuggestion(field), ...expressionSuggestions(ctx)];
    case "list":
      return listSuggestions(ctx, field, shape);
    case "union":
      return shape.options.flatMap((option) => shapeSuggestions(ctx, field, option.shape));
    case "object": {
      const short = shape.short === undefined ? undefined : shape.fields[shape.short];
      return short === undefined ? [] : shapeSuggestions(ctx, short, short.shape);
    }
    case "text":
      return textSuggestions(ctx, shape.form);
    case "record":
    case "any":
      return [];
  }
}

function defaultSuggestion(field: Field<unknown>): readonly Suggestion[] {
  if (typeof field.default !== "number") return [];
  const text = inline(field.default);
  return [{ label: text, kind: "value", insert: text, detail: "default", rank: 0 }];
}

/** Alpha is most often written in terms of the rank. */
function expressionSuggestions({ path, cursor }: CompletionContext): readonly Suggestion[] {
  if (path.at(-1) !== "alpha") return [];
  const method = nodeAt(cursor.document, cursor.path.slice(0, -1));
  const rank = entryOf(method, "r")?.value;
  return ["2r", "r"].map((text, index) => ({
    label: text,
    kind: "expression",
    insert: text,
    rank: index + 1,
    detail:
      rank?.kind === "number"
        ? `= ${rank.value * (2 - index)}, scale ${2 - index}`
        : `scale ${2 - index}`,
  }));
}

/** Items, in brackets where a list cannot stand without them. */
function listSuggestions(
  ctx: CompletionContext,
  field: Field<unknown>,
  { of, single }: Extract<Shape, { kind: "list" }>,
): readonly Suggestion[] {
  const items = shapeSuggestions(ctx, of, of.shape);
  if (single || ctx.cursor.kind !== "value") return items;
  if (items.length === 0)
    return field.default === undefined || field.default === null
      ? []
      : [
          {
            label: inline(field.default),
            kind: "value",
            insert: inline(field.default),
            detail: "default",
          },
        ];
  return items.map((item) => ({ ...item, label: `[${item.label}]`, insert: `[${item.insert}]` }));
}

function textSuggestions(ctx: CompletionContext, form: TextForm): readonly Suggestion[] {
  const { analysis } = ctx;
  const names = (list: readonly string[], kind: Suggestion["kind"]): readonly Suggestion[] =>
    list.map((name, rank) => ({ label: name, kind, insert: name, rank }));
  switch (form) {
    case "path":
      return pathSuggestions(ctx);
    case "model":
      return modelSuggestions(ctx);
    case "module":
      return ctx.path.includes("modules_to_save") || ctx.path.includes("skip_modules")
        ? names(allModules(analysis), "module")
        : moduleNames(analysis).map(({ name, detail }, rank) => ({
            label: name,
            kind: "module",
            insert: name,
            detail,
            rank,
          }));
    case "column":
      return names(columnNames(analysis), "column");
    case "metric":
      return names(metricNames(analysis), "value");
    case "field":
      return names(fieldPaths(ctx), "field");
    case "template": {
      const open = /\{[^{}]*$/.exec(ctx.cursor.typed)?.[0].length ?? 0;
      const from = ctx.cursor.start + ctx.cursor.typed.length - open;
      return columnNames(analysis).map((name) => ({
        label: `{${name}}`,
        kind: "column",
        insert: `{${name}}`,
        from,
      }));
    }
    case "regex":
    case "plain":
      return [];
  }
}
