/** @file No source needs itself: in a circle of imports, what works depends on which file is loaded first. */
import assert from "node:assert/strict";
import { dirname, join, normalize } from "node:path";
import { it } from "node:test";
import { isInside, sources, textOf } from "./sources.ts";

// Kernels import without an ending, which their compiler knows.
const known = new Set(sources);

/** What a file imports from others of ours when it is loaded; types are gone by then. */
function loaded(file: string): readonly string[] {
  const found = textOf(file).matchAll(
    /^(?:import|export) (?!type\b)(?:[^;]*?from )?"(\.[^"]+)";/gmu,
  );
  return [...found]
    .map(([, name = ""]) => normalize(join(dirname(file), name)).replaceAll("\\", "/"))
    .filter((name) => known.has(name));
}

/** The first circle on a way that begins with `way`, or none; files on no circle are remembered as done. */
function circle(way: readonly string[], done: Set<string>): readonly string[] | undefined {
  const file = way.at(-1) ?? "";
  for (const next of loaded(file)) {
    if (way.includes(next)) return [...way.slice(way.indexOf(next)), next];
    const found = done.has(next) ? undefined : circle([...way, next], done);
    if (found) return found;
  }
  done.add(file);
  return undefined;
}

it("no source needs itself to be loaded", () => {
  const done = new Set<string>();
  for (const file of sources.filter((name) => !isInside(name, "test"))) {
    const found = done.has(file) ? undefined : circle([file], done);
    assert.equal(found?.join(" → "), undefined);
  }
});
