/** @file Changes to located values: rewriting by declaration, setting a path, merging two documents. */
import type { Field, Shape } from "../schema.ts";
import { fits } from "./fits.ts";
import { fieldAt, fieldsIn, typeOf } from "./lookup.ts";
import type { Entry, Located, MapNode, Path } from "./tree.ts";
import { entryOf, emptyMap } from "./tree.ts";

export type Visit = (field: Field<unknown>, node: Located, path: Path) => Located;

/** The document with `visit` applied to each declared value, outer ones first. */
export function rewrite(
  field: Field<unknown>,
  node: Located,
  visit: Visit,
  path: Path = [],
): Located {
  const seen = visit(field, node, path);
  const { shape } = field;
  switch (shape.kind) {
    case "object":
    case "choice": {
      const declared = fieldsIn(field, seen);
      const rest = shape.kind === "object" ? shape.rest?.of : undefined;
      return mapEntries(seen, ({ key, value }) => {
        const inner = declared.find((each) => each.key === key)?.field ?? rest;
        return inner === undefined ? value : rewrite(inner, value, visit, [...path, key]);
      });
    }
    case "record":
      return mapEntries(seen, ({ key, value }) => rewrite(shape.of, value, visit, [...path, key]));
    case "keyed":
      return mapEntries(seen, ({ key, value }) => {
        const variant = Object.hasOwn(shape.variants, key) ? shape.variants[key] : undefined;
        if (variant === undefined) return value;
        const inner: Shape = {
          kind: "object",
          fields: variant.fields,
          short: undefined,
          rest: undefined,
        };
        return rewrite({ ...field, shape: inner }, value, visit, [...path, key]);
      });
    case "list":
      if (seen.kind !== "list") return shape.single ? rewrite(shape.of, seen, visit, path) : seen;
      return {
        ...seen,
        items: seen.items.map((item, index) =>
          rewrite(shape.of, item, visit, [...path, String(index)]),
        ),
      };
    case "union": {
      const option = shape.options.find((each) => fits(each, seen));
      return option === undefined ? seen : rewrite(option, seen, visit, path);
    }
    case "int":
    case "number":
    case "share":
    case "bool":
    case "duration":
    case "any":
    case "text":
    case "oneOf":
      return seen;
  }
}

function mapEntries(node: Located, change: (entry: Entry) => Located): Located {
  if (node.kind !== "map") return node;
  return {
    ...node,
    entries: node.entries.map((entry) => ({ ...entry, value: change(entry) })),
  };
}

/** The map that a short form stands for: `lora` for `{ type: lora }`; other values as they are. */
export function expandShort(field: Field<unknown>, node: Located): Located {
  const { shape } = field;
  if (node.kind !== "text") return node;
  const key = shape.kind === "choice" ? "type" : shape.kind === "object" ? shape.short : undefined;
  return key === undefined ? node : mapOf(key, node);
}

function mapOf(key: string, value: Located): MapNode {
  const { at } = value;
  return { kind: "map", entries: [{ key, keyAt: at, value }], flow: true, at };
}

/** The map without the entry `key`. */
export function without(map: MapNode, key: string): MapNode {
  return { ...map, entries: map.entries.filter((entry) => entry.key !== key) };
}

/** The map with `key` set, in its old place where it was there. */
function withEntry(map: MapNode, entry: Entry): MapNode {
  const known = entryOf(map, entry.key) !== undefined;
  const entries = known
    ? map.entries.map((each) => (each.key === entry.key ? entry : each))
    : [...map.entries, entry];
  return { ...map, entries };
}

/**
 * The document with `value` at `path`, maps made on the way. A map set over a choice that already has
 * another type takes its place whole, as in {@link merge}. `undefined` where the path leads through a
 * value that is no map.
 */
export function setAt(
  root: Field<unknown>,
  document: Located,
  path: Path,
  value: Located,
): Located | undefined {
  const [step, ...rest] = path;
  if (step === undefined) return expandShort(unwrapped(root), value);
  const opened = expandShort(unwrapped(root), document);
  if (opened.kind === "list") {
    const index = Number(step);
    const item = opened.items[index];
    if (item === undefined || !/^\d+$/.test(step)) return undefined;
    const field = fieldAt(root, opened, [step]) ?? root;
    const changed = setAt(field, item, rest, value);
    if (changed === undefined) return undefined;
    return { ...opened, items: opened.items.with(index, changed) };
  }
  const map = opened.kind === "null" ? emptyMap(opened.at) : opened;
  if (map.kind !== "map") return undefined;
  const before = entryOf(map, step);
  const field = fieldAt(root, map, [step]) ?? anything;
  const changed = setAt(field, before?.value ?? emptyMap(value.at), rest, value);
  if (changed === undefined) return undefined;
  return withEntry(map, { key: step, keyAt: before?.keyAt ?? value.at, value: changed });
}

const anything: Field<unknown> = {
  shape: { kind: "any" },
  doc: "",
  presence: "default",
  default: null,
};

/** A list that may stand without brackets has the short form of its items. */
function unwrapped(field: Field<unknown>): Field<unknown> {
  return field.shape.kind === "list" && field.shape.single ? field.shape.of : field;
}

/**
 * `over` on top of `base`: maps are merged field by field; lists, single values and maps of free names
 * (`rank_pattern`, `sweep.grid`) of `over` replace those of `base`; `null` brings the default back. Where both choose a variant (`method`, `optimizer` …)
 * and the types differ, `over` replaces the whole, because the fields of one type say nothing about
 * another.
 */
export function merge(field: Field<unknown>, base: Located, over: Located): Located {
  const inner = unwrapped(field);
  const below = expandShort(inner, base);
  const above = expandShort(inner, over);
  if (below.kind !== "map" || above.kind !== "map") return above;
  if (inner.shape.kind === "record" || inner.shape.kind === "any") return above;
  const { shape } = inner;
  if (shape.kind === "union" && !shape.options.some(({ shape: { kind } }) => kind === "object"))
    return above;
  if (
    shape.kind === "choice" &&
    entryOf(above, "type") !== undefined &&
    typeOf(shape, above) !== typeOf(shape, below)
  )
    return above;
  let result = below;
  for (const entry of above.entries) {
    const before = entryOf(result, entry.key);
    const child =
      fieldAt(inner, above, [entry.key]) ?? fieldAt(inner, below, [entry.key]) ?? anything;
    const value = before === undefined ? entry.value : merge(child, before.value, entry.value);
    result = withEntry(result, { ...entry, value });
  }
  return { ...result, at: above.at };
}
