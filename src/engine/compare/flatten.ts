/** @file A configuration as single fields with dotted names. */
import type { Json } from "../../shared/schema.ts";

/** `{ method: { r: 8 } }` → `method.r` → 8. Lists stay whole, unless their items are maps; an empty map stays, too. */
export function flatten(config: Readonly<Record<string, Json>>): ReadonlyMap<string, Json> {
  return new Map(fieldsOf(Object.entries(config), ""));
}

function fieldsOf(
  entries: readonly (readonly [string, Json])[],
  prefix: string,
): readonly (readonly [string, Json])[] {
  return entries.flatMap(([key, value]) => {
    const path = `${prefix}${key}`;
    const inner = entriesOf(value);
    return inner.length === 0 ? [[path, value] as const] : fieldsOf(inner, `${path}.`);
  });
}

function entriesOf(value: Json): readonly (readonly [string, Json])[] {
  if (typeof value !== "object" || value === null) return [];
  if (!Array.isArray(value)) return Object.entries<Json>(value);
  const items: readonly Json[] = value;
  const maps = items.some(
    (item) => typeof item === "object" && item !== null && !Array.isArray(item),
  );
  return maps ? items.map((item, index) => [String(index), item]) : [];
}
