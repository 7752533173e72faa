/** @file Which declaration governs a place of the document. */
import type { Field, Fields, Shape, Variant, Variants } from "../schema.ts";
import type { Located, Path } from "./tree.ts";
import { entryOf } from "./tree.ts";

export type ChoiceShape = Extract<Shape, { readonly kind: "choice" }>;

/** A declared field under the name the file gives it. */
export interface NamedField {
  readonly property: string;
  readonly key: string;
  readonly field: Field<unknown>;
}

const named = new WeakMap<Fields, readonly NamedField[]>();

/** The fields with their names in the file, in the order of declaration. */
export function namedFields(fields: Fields): readonly NamedField[] {
  const known = named.get(fields);
  if (known !== undefined) return known;
  const list = Object.entries(fields).map(([property, field]) => ({
    property,
    key: field.key ?? property,
    field,
  }));
  named.set(fields, list);
  return list;
}

const typeFields = new WeakMap<Variants, Field<unknown>>();

/** The field `type` of a choice, as if it had been declared: its words are the variants. */
function typeField({ variants, preset }: ChoiceShape): Field<unknown> {
  const known = typeFields.get(variants);
  if (known !== undefined) return known;
  const words = Object.entries(variants).map(([name, { doc }]) => [name, doc] as const);
  const field: Field<unknown> = {
    shape: { kind: "oneOf", literals: new Map(words) },
    doc: "Which of them; the other fields depend on it.",
    presence: preset === undefined ? "required" : "default",
    default: preset,
  };
  typeFields.set(variants, field);
  return field;
}

/** The variant that a map of this choice names, or its preset. */
export function variantOf(shape: ChoiceShape, node: Located | undefined): Variant | undefined {
  const type = typeOf(shape, node);
  return type !== undefined && Object.hasOwn(shape.variants, type)
    ? shape.variants[type]
    : undefined;
}

export function typeOf(shape: ChoiceShape, node: Located | undefined): string | undefined {
  if (node?.kind === "text") return node.value;
  const type = entryOf(node, "type")?.value;
  return type?.kind === "text" ? type.value : type === undefined ? shape.preset : undefined;
}

/** All fields that may stand in a map at this declaration, with the names in the file. */
export function fieldsIn(field: Field<unknown>, node: Located | undefined): readonly NamedField[] {
  const { shape } = field;
  switch (shape.kind) {
    case "object":
      return namedFields(shape.fields);
    case "choice": {
      const variant = variantOf(shape, node);
      const common = namedFields(shape.common).filter(
        ({ key }) => variant?.omits?.includes(key) !== true,
      );
      const own = variant === undefined ? [] : namedFields(variant.fields);
      return [{ property: "type", key: "type", field: typeField(shape) }, ...common, ...own];
    }
    case "union":
      return shape.options.flatMap((option) => fieldsIn(option, node));
    case "list":
      return shape.single ? fieldsIn(shape.of, node) : [];
    case "int":
    case "number":
    case "share":
    case "bool":
    case "duration":
    case "any":
    case "text":
    case "oneOf":
    case "record":
    case "keyed":
      return [];
  }
}

/** The declaration that governs `path` in a document under `root`, or `undefined` where none does. */
export function fieldAt(
  root: Field<unknown>,
  document: Located | undefined,
  path: Path,
): Field<unknown> | undefined {
  const [step, ...rest] = path;
  if (step === undefined) return root;
  const { shape } = root;
  const next = childOf(document, step);
  switch (shape.kind) {
    case "object":
    case "choice": {
      const child = fieldsIn(root, document).find(({ key }) => key === step)?.field;
      const free = shape.kind === "object" ? shape.rest?.of : undefined;
      const inner = child ?? free;
      return inner === undefined ? undefined : fieldAt(inner, next, rest);
    }
    case "list":
      if (/^\d+$/.test(step)) return fieldAt(shape.of, next, rest);
      return shape.single ? fieldAt(shape.of, document, path) : undefined;
    case "record":
      return fieldAt(shape.of, next, rest);
    case "keyed": {
      const variant = Object.hasOwn(shape.variants, step) ? shape.variants[step] : undefined;
      const [inner, ...deeper] = rest;
      if (variant === undefined || inner === undefined) return variant && root;
      const child = namedFields(variant.fields).find(({ key }) => key === inner)?.field;
      return child && fieldAt(child, childOf(next, inner), deeper);
    }
    case "union":
      for (const option of shape.options) {
        const found = fieldAt(option, document, path);
        if (found !== undefined) return found;
      }
      return undefined;
    case "any":
      return root;
    case "int":
    case "number":
    case "share":
    case "bool":
    case "duration":
    case "text":
    case "oneOf":
      return undefined;
  }
}

/**
 * The places of a document that have a field of this name or alias: at the margin, else in sections, else in a
 * section's own maps, such as `train.optimizer`.
 */
export function placesNamed(
  root: Field<unknown>,
  document: Located | undefined,
  name: string,
): readonly Path[] {
  let level: readonly Place[] = [{ path: [], field: root, node: document }];
  for (let depth = 1; depth <= 3; depth += 1) {
    level = level.flatMap(({ path, field, node }) =>
      fieldsIn(field, node).map((inner) => ({
        path: [...path, inner.key],
        field: inner.field,
        node: childOf(node, inner.key),
      })),
    );
    const here = level.filter(
      ({ path, field }) => path.at(-1) === name || field.aliases?.includes(name) === true,
    );
    if (here.length > 0) return here.map(({ path }) => path);
  }
  return [];
}

interface Place {
  readonly path: Path;
  readonly field: Field<unknown>;
  readonly node: Located | undefined;
}

function childOf(node: Located | undefined, step: string): Located | undefined {
  return node?.kind === "list" ? node.items[Number(step)] : entryOf(node, step)?.value;
}
