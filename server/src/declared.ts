/** @file Which declaration governs a place of a document as it is written, foreign names among its keys. */
import { fieldAt, fieldsIn } from "../../src/shared/experiment/lookup.ts";
import type { Located, Path } from "../../src/shared/experiment/tree.ts";
import { nodeAt } from "../../src/shared/experiment/tree.ts";
import type { Field } from "../../src/shared/schema.ts";

export interface Declared {
  readonly field: Field<unknown>;
  /** In canonical names. */
  readonly path: Path;
}

/** The field at a path as the file writes it; `undefined` where none is declared. */
export function declaredAt(
  root: Field<unknown>,
  document: Located,
  path: Path,
): Declared | undefined {
  let canonical: Path = [];
  for (const [depth, step] of path.entries()) {
    const whole = [...canonical, step];
    if (fieldAt(root, document, whole) !== undefined) {
      canonical = whole;
      continue;
    }
    const owner = fieldAt(root, document, canonical);
    const node = nodeAt(document, path.slice(0, depth));
    const meant =
      owner && fieldsIn(owner, node).find(({ field }) => field.aliases?.includes(step) === true);
    if (meant === undefined) return undefined;
    canonical = [...canonical, meant.key];
  }
  const found = sweptField(root, document, canonical) ?? fieldAt(root, document, canonical);
  if (found === undefined) return undefined;
  return { field: fieldsOfKeyed(found, path.at(-1)), path: canonical };
}

/** `exact_match: { … }` is a map of that metric's own fields. */
function fieldsOfKeyed(field: Field<unknown>, step: string | undefined): Field<unknown> {
  const { shape } = field;
  if (shape.kind !== "keyed" || step === undefined || !Object.hasOwn(shape.variants, step))
    return field;
  const { fields = {}, doc = "" } = shape.variants[step] ?? {};
  return { ...field, doc, shape: { kind: "object", fields, short: undefined, rest: undefined } };
}

/** In a sweep `method.r: [4, 8]` holds values of the field `method.r`. */
function sweptField(
  root: Field<unknown>,
  document: Located,
  path: Path,
): Field<unknown> | undefined {
  const [section, part, ...rest] = path;
  if (section !== "sweep") return undefined;
  const [key, item, ...more] =
    part === "grid" ? rest : part === "paired" || part === "controls" ? rest.slice(1) : [];
  if (key === undefined || more.length > 0) return undefined;
  const swept = fieldAt(root, document, key.split("."));
  if (swept === undefined || part === "controls" || item !== undefined) return swept;
  const list = { kind: "list", of: swept, minLength: 1, maxLength: 10_000, single: false } as const;
  return { ...swept, shape: list };
}
