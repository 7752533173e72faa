/** @file Mends `text.strip("…")` in parsed chat templates: the engine strips white space whatever it is told. */

import { asList } from "../tokenizer/json-value.ts";

/** Name of the function that {@link redirectStrips} calls; give {@link stripCharacters} to the template under it. */
export const stripFunction = "strip_characters";

const sides = ["strip", "lstrip", "rstrip"] as const;

/**
 * Turns every `object.strip(characters)` of a parsed template, and its kin for one side, into
 * `strip_characters("strip", object, characters)`. Qwen's templates keep or drop spaces by it.
 */
export function redirectStrips(node: unknown): void {
  asList(node)?.forEach(redirectStrips);
  if (!isNode(node)) return;
  Object.values(node).forEach(redirectStrips);
  const { callee } = node;
  const args = asList(node.args);
  if (node.type !== "CallExpression" || !isNode(callee) || args === undefined) return;
  const { property } = callee;
  if (callee.type !== "MemberExpression" || !isNode(property) || args.length === 0) return;
  const side = sides.find((each) => each === property.value);
  if (side === undefined || callee.computed !== false) return;
  node.args = [{ type: "StringLiteral", value: side }, callee.object, ...args];
  node.callee = { type: "Identifier", value: stripFunction };
}

/** Python's `str.strip`, `lstrip` and `rstrip` with characters. */
export function stripCharacters(side: string, text: unknown, characters: unknown): string {
  if (typeof text !== "string" || typeof characters !== "string")
    throw new Error(`${side} takes text`);
  const set = new Set(characters);
  const list = Array.from(text);
  let start = 0;
  let end = list.length;
  if (side !== "rstrip") while (start < end && set.has(list[start] ?? "")) start += 1;
  if (side !== "lstrip") while (end > start && set.has(list[end - 1] ?? "")) end -= 1;
  return list.slice(start, end).join("");
}

function isNode(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
