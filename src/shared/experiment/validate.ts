/** @file Checks a located value against declarations, and writes out every default. */
import type { Field, Fields, Infer, Shape, Values, Variant } from "../schema.ts";
import { expectation } from "./describe.ts";
import { fits } from "./fits.ts";
import type { NamedField } from "./lookup.ts";
import { namedFields, typeOf, variantOf } from "./lookup.ts";
import { nearest } from "./nearest.ts";
import type { CheckContext } from "./scalars.ts";
import {
  checkBool,
  checkDuration,
  checkNumber,
  checkShare,
  checkText,
  checkWord,
  nameOf,
  wrongType,
} from "./scalars.ts";
import type { Entry, Located, Location, MapNode, Path } from "./tree.ts";
import { beginningOf, entryOf, plain, emptyMap } from "./tree.ts";
import { reportOmitted, reportUnknown, reportUnknownVariant, reportVariant } from "./unknown.ts";

/**
 * The value that `node` gives `fields`, defaults written out. A wrong value is reported and its default
 * stands in; the whole is `undefined` only where a field without a default is missing or wrong.
 */
export function validate<F extends Fields>(
  ctx: CheckContext,
  fields: F,
  node: Located,
): Infer<F> | undefined;
// The second signature is what the walk knows: that it builds one property per declaration.
export function validate(ctx: CheckContext, fields: Fields, node: Located): unknown {
  const shape: Shape = { kind: "object", fields, short: undefined, rest: undefined };
  const root: Field<unknown> = { shape, doc: "", presence: "required", default: undefined };
  return checkValue(ctx, root, node, []);
}

/** The value of one field; `undefined` where it has neither a right value nor a default. */
function checkValue(ctx: CheckContext, field: Field<unknown>, node: Located, path: Path): unknown {
  if (node.kind === "null" && field.shape.kind !== "any") return checkNull(ctx, field, node, path);
  const value = checkShape(ctx, field.shape, node, path);
  if (value !== undefined || field.presence === "required") return value;
  // What is wrong has been said; its absence is not worth a second remark.
  return checkAbsent({ ...ctx, report: () => undefined }, field, path, node.at);
}

/** `field: null`, which asks for the default, or `field:` with nothing behind it, which is half typed. */
function checkNull(ctx: CheckContext, field: Field<unknown>, node: Located, path: Path): unknown {
  if (field.presence === "default" && field.default === null) return null;
  const asked = node.kind === "null" && node.written !== "" && field.presence === "default";
  if (field.presence === "filled" || asked) return checkAbsent(ctx, field, path, node.at);
  ctx.report("missing-value", node.at, {
    message: `${nameOf(path)} has no value; it must be ${expectation(field.shape)}.`,
    path,
    remedy: field.presence === "default" ? "Give a value, or remove the line." : "Give a value.",
  });
  return field.default;
}

function checkAbsent(ctx: CheckContext, field: Field<unknown>, path: Path, at: Location): unknown {
  if (field.presence === "default") return field.default;
  if (field.presence === "filled" && !standsForRequired(field.shape))
    return checkShape(ctx, field.shape, emptyMap(at), path);
  ctx.report("missing-field", at, {
    message: `${nameOf(path)} is missing; it must be ${expectation(field.shape)}.`,
    path,
    remedy: `Add \`${path.at(-1) ?? ""}\`. ${field.doc}`,
  });
  return undefined;
}

/** `model`, whose short form is its `id`, is itself what the file must say. */
function standsForRequired(shape: Shape): boolean {
  if (shape.kind !== "object" || shape.short === undefined) return false;
  return shape.fields[shape.short]?.presence === "required";
}

function checkShape(ctx: CheckContext, shape: Shape, node: Located, path: Path): unknown {
  switch (shape.kind) {
    case "int":
    case "number": {
      const whole = shape.kind === "int";
      const expects = expectation(shape);
      return checkNumber(ctx, node, path, { whole, bounds: shape.bounds, expects });
    }
    case "share":
      return checkShare(ctx, node, path, shape.bounds, expectation(shape));
    case "bool":
      return checkBool(ctx, node, path);
    case "duration":
      return checkDuration(ctx, node, path);
    case "any":
      return plain(node);
    case "text":
      return checkText(ctx, node, path, expectation(shape));
    case "oneOf":
      return checkWord(ctx, node, path, shape.literals);
    case "list":
      return checkList(ctx, shape, node, path);
    case "record":
      return checkRecord(ctx, shape, node, path);
    case "object":
      return checkObject(ctx, shape, node, path);
    case "choice":
      return checkChoice(ctx, shape, node, path);
    case "keyed":
      return checkKeyed(ctx, shape, node, path);
    case "union":
      return checkUnion(ctx, shape, node, path);
  }
}

type ShapeOf<K extends Shape["kind"]> = Extract<Shape, { readonly kind: K }>;

function checkList(ctx: CheckContext, shape: ShapeOf<"list">, node: Located, path: Path): unknown {
  if (node.kind !== "list" && !shape.single) {
    wrongType(ctx, node, path, expectation(shape), listMeant(shape, node));
    return undefined;
  }
  const items = node.kind === "list" ? node.items : [node];
  if (items.length < shape.minLength || items.length > shape.maxLength) {
    const { minLength, maxLength } = shape;
    const wanted =
      minLength === maxLength
        ? `${minLength}`
        : items.length < minLength
          ? `at least ${minLength}`
          : `at most ${maxLength}`;
    const message = `${nameOf(path)} must have ${wanted} ${/\b1$/.test(wanted) ? "item" : "items"}, and has ${items.length}.`;
    ctx.report("wrong-length", node.at, { message, path });
    return undefined;
  }
  const values = items.map((item, index) =>
    checkValue(ctx, shape.of, item, node.kind === "list" ? [...path, String(index)] : path),
  );
  const right = values.filter((value) => value !== undefined);
  return right.length < shape.minLength ? undefined : right;
}

/** A lone value where a list of one was meant. */
function listMeant(shape: ShapeOf<"list">, node: Located): string | undefined {
  return node.kind !== "map" && node.kind !== "list" && fits(shape.of, node)
    ? `[${node.written}]`
    : undefined;
}

function checkRecord(
  ctx: CheckContext,
  shape: ShapeOf<"record">,
  node: Located,
  path: Path,
): unknown {
  if (node.kind !== "map") {
    wrongType(ctx, node, path, expectation(shape), undefined);
    return undefined;
  }
  return checkEntries(ctx, shape.of, node, path);
}

function checkEntries(ctx: CheckContext, of: Field<unknown>, map: MapNode, path: Path): Values {
  const pairs = map.entries.flatMap(({ key, value }) => {
    const checked = checkValue(ctx, of, value, [...path, key]);
    return checked === undefined ? [] : [[key, checked] as const];
  });
  return Object.fromEntries(pairs);
}

function checkObject(
  ctx: CheckContext,
  shape: ShapeOf<"object">,
  node: Located,
  path: Path,
): unknown {
  const declared = namedFields(shape.fields);
  const map = asMap(shape.short, node);
  if (map === undefined) {
    wrongType(ctx, node, path, expectation(shape), undefined);
    return undefined;
  }
  const { rest } = shape;
  if (rest === undefined) {
    reportUnknown(ctx, map, declared, path, nameOf(path));
    return checkFields(ctx, declared, map, path);
  }
  const others = withoutKeys(
    map,
    declared.map(({ key }) => key),
  );
  const checked = checkFields(ctx, declared, map, path);
  const values = checkEntries(ctx, rest.of, others, path);
  return checked === undefined ? undefined : { ...checked, [rest.property]: values };
}

/** The map that a lone value stands for, where the object has a short form. */
function asMap(short: string | undefined, node: Located): MapNode | undefined {
  if (node.kind === "map") return node;
  if (short === undefined || node.kind === "list") return undefined;
  const entry: Entry = { key: short, keyAt: node.at, value: node };
  return { kind: "map", entries: [entry], flow: true, at: node.at };
}

/** One property per declaration, or `undefined` where one without a default is missing. */
function checkFields(
  ctx: CheckContext,
  declared: readonly NamedField[],
  map: MapNode,
  path: Path,
): Values | undefined {
  const pairs = declared.map(({ property, key, field }) => {
    const entry = entryOf(map, key);
    const inner = [...path, key];
    const value =
      entry === undefined
        ? checkAbsent(ctx, field, inner, beginningOf(map))
        : checkValue(ctx, field, entry.value, inner);
    return [property, value] as const;
  });
  const complete = pairs.every(([, value]) => value !== undefined);
  return complete ? Object.fromEntries(pairs) : undefined;
}

function checkChoice(
  ctx: CheckContext,
  shape: ShapeOf<"choice">,
  node: Located,
  path: Path,
): unknown {
  const map = asMap("type", node);
  if (map === undefined) {
    wrongType(ctx, node, path, expectation(shape), undefined);
    return undefined;
  }
  const variant = variantOf(shape, map);
  const type = typeOf(shape, map);
  if (variant === undefined || type === undefined) {
    reportVariant(ctx, shape, map, path);
    return undefined;
  }
  const common = namedFields(shape.common);
  const omitted = common.filter(({ key }) => variant.omits?.includes(key) === true);
  for (const { key } of omitted) reportOmitted(ctx, map, key, type, path);
  const present = withoutKeys(map, ["type", ...omitted.map(({ key }) => key)]);
  const own = namedFields(variant.fields);
  reportUnknown(ctx, present, [...common, ...own], path, `\`${type}\``);
  const shared = checkFields(ctx, common, present, path);
  const config = checkFields(ctx, own, present, path);
  return shared === undefined || config === undefined ? undefined : { ...shared, type, config };
}

function withoutKeys(map: MapNode, keys: readonly string[]): MapNode {
  return { ...map, entries: map.entries.filter(({ key }) => !keys.includes(key)) };
}

function checkKeyed(
  ctx: CheckContext,
  shape: ShapeOf<"keyed">,
  node: Located,
  path: Path,
): unknown {
  const names = Object.keys(shape.variants);
  const only = node.kind === "map" && node.entries.length === 1 ? node.entries[0] : undefined;
  if (node.kind !== "text" && only === undefined) {
    wrongType(ctx, node, path, expectation(shape), undefined);
    return undefined;
  }
  const type = only?.key ?? (node.kind === "text" ? node.value : "");
  const variant: Variant | undefined = Object.hasOwn(shape.variants, type)
    ? shape.variants[type]
    : undefined;
  if (variant === undefined) {
    const at = only?.keyAt ?? node.at;
    const named: Located = { kind: "text", value: type, quoted: false, written: type, at };
    reportUnknownVariant(ctx, named, names, path);
    return undefined;
  }
  const at = only?.value.at ?? node.at;
  const own = namedFields(variant.fields);
  const inner = only?.value.kind === "map" ? only.value : emptyMap(at);
  if (only !== undefined && only.value.kind !== "map" && only.value.kind !== "null") {
    wrongType(ctx, only.value, [...path, type], "a map of its own fields", undefined);
    return undefined;
  }
  reportUnknown(ctx, inner, own, [...path, type], `\`${type}\``);
  const config = checkFields(ctx, own, inner, [...path, type]);
  return config === undefined ? undefined : { type, config };
}

function checkUnion(
  ctx: CheckContext,
  shape: ShapeOf<"union">,
  node: Located,
  path: Path,
): unknown {
  const words = shape.options.filter(({ shape: { kind } }) => kind === "oneOf");
  const word = words.find((option) => fits(option, node));
  const chosen = word ?? shape.options.find((option) => fits(option, node));
  if (chosen !== undefined) return checkShape(ctx, chosen.shape, node, path);
  wrongType(ctx, node, path, expectation(shape), wordMeant(words, node));
  return undefined;
}

function wordMeant(words: readonly Field<unknown>[], node: Located): string | undefined {
  if (node.kind !== "text") return undefined;
  const known = words.flatMap(({ shape }) =>
    shape.kind === "oneOf" ? [...shape.literals.keys()] : [],
  );
  return nearest(node.value, known);
}
