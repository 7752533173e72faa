/** @file Values as Python writes them. */

/** A literal of JSON-like data; numbers keep a point where Python needs a float. */
export function py(value: unknown): string {
  if (value === null || value === undefined) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "number") return String(value);
  if (typeof value === "string") return pyText(value);
  if (Array.isArray(value)) return `[${value.map(py).join(", ")}]`;
  const entries = Object.entries(value).map(([key, item]) => `${pyText(key)}: ${py(item)}`);
  return `{${entries.join(", ")}}`;
}

/** Keyword arguments of a call, one a line; `undefined` ones are left out. */
export function keywords(values: Readonly<Record<string, unknown>>, indent: string): string {
  return Object.entries(values)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${indent}${name}=${py(value)},`)
    .join("\n");
}

/** JSON's escapes are Python's too, but for characters beyond the basic plane, which stand as they are. */
function pyText(text: string): string {
  return JSON.stringify(text.toWellFormed());
}
