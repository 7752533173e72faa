/** @file Writes plain values as YAML that every reader understands alike: `2.0e-4`, no bare `no`. */
import type { Json } from "../schema.ts";
import { numberText } from "./describe.ts";

/** A map as a YAML document in block style; lists of single values stay on one line. */
export function writeYaml(map: Readonly<Record<string, Json>>): string {
  return `${mapLines(map, 0).join("\n")}\n`;
}

function mapLines(map: Readonly<Record<string, Json>>, depth: number): readonly string[] {
  const indent = "  ".repeat(depth);
  return Object.entries(map).flatMap(([key, value]) => {
    const name = `${indent}${textScalar(key)}:`;
    if (isFlow(value)) return [`${name} ${flow(value)}`];
    if (isList(value)) return [name, ...listLines(value, depth + 1)];
    return [name, ...mapLines(isMap(value) ? value : {}, depth + 1)];
  });
}

function listLines(list: readonly Json[], depth: number): readonly string[] {
  const indent = "  ".repeat(depth);
  return list.flatMap((item) => {
    if (isFlow(item) || !isMap(item)) return [`${indent}- ${flow(item)}`];
    // The first entry shares its line with the dash.
    const [first = "", ...others] = mapLines(item, depth + 1);
    return [`${indent}- ${first.trimStart()}`, ...others];
  });
}

/** Whether a value is written on one line: all but maps that hold something, and lists of such maps. */
function isFlow(value: Json): boolean {
  if (isList(value)) return value.every((item) => !isMap(item) || Object.keys(item).length === 0);
  return !isMap(value) || Object.keys(value).length === 0;
}

function flow(value: Json): string {
  if (isList(value)) return `[${value.map(flow).join(", ")}]`;
  if (isMap(value)) {
    const parts = Object.entries(value).map(([key, inner]) => `${textScalar(key)}: ${flow(inner)}`);
    return parts.length === 0 ? "{}" : `{ ${parts.join(", ")} }`;
  }
  if (typeof value === "number") return numberText(value);
  if (typeof value === "string") return textScalar(value);
  return String(value);
}

/** Texts that no YAML reader, 1.1 or 1.2, takes for anything else, and that need no quotes in a flow. */
const bare = /^[A-Za-z_./][\w./@-]*(?: [\w./@-]+)*$/;
const durations = /^\d+(?:\.\d+)? (?:steps?|epochs?)$/;
const words = /^(?:null|true|false|yes|no|on|off|y|n|\.nan|\.inf)$/i;

function textScalar(text: string): string {
  const safe =
    (bare.test(text) && !words.test(text) && !/^\.\d/.test(text)) || durations.test(text);
  // Every JSON string is a YAML text in double quotes.
  return safe ? text : JSON.stringify(text);
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

function isMap(value: Json): value is Readonly<Record<string, Json>> {
  return typeof value === "object" && value !== null && !isList(value);
}
