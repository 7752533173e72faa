/** @file The severities that a user sets, `{ "few-steps": "off" }`, read from whatever an editor sends. */
import type { SeveritySettings } from "./diagnostics.ts";

/** Settings of the whole extension, of `checks`, or the map itself; what is none of ours is left out. */
export function readSeverities(sent: unknown): SeveritySettings {
  const map = inner(inner(inner(sent, "spectune"), "checks"), "severity");
  if (typeof map !== "object" || map === null) return new Map();
  const words = ["error", "warning", "info", "off"] as const;
  return new Map(
    Object.entries(map).flatMap(([code, said]: [string, unknown]) => {
      const word = words.find((each) => each === said);
      return word === undefined ? [] : [[code, word] as const];
    }),
  );
}

/** The part of that name, or the whole where there is none. */
function inner(value: unknown, key: string): unknown {
  if (typeof value !== "object" || value === null) return value;
  const found = Object.entries(value).find(([name]) => name === key);
  return found === undefined ? value : found[1];
}
