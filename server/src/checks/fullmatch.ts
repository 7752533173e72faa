/** @file Regular expressions of the experiment as the target rules call them, their failures left to their own check. */
import type { FullMatch } from "../../../src/engine/methods/targets.ts";
import type { Facts } from "../facts.ts";
import type { ModelView } from "../model-view.ts";

const places = new WeakMap<readonly string[], ReadonlyMap<string, number>>();

/**
 * Each expression is matched with all names of the model at once: one time limit, one answer to keep. A match
 * that cannot be told counts as none: `regex-unusable` says so.
 */
export function fullMatchOf({ match }: Facts, { sites }: ModelView): FullMatch {
  const known = places.get(sites) ?? new Map(sites.map((name, index) => [name, index]));
  places.set(sites, known);
  return (pattern, text) => {
    const index = known.get(text);
    const matched = match(pattern, index === undefined ? [text] : sites);
    return matched.ok && matched.matches[index ?? 0] === true;
  };
}
