/** @file Regular expressions of the experiment as the target rules call them, their failures left to their own checks. */
import type { FullMatch } from "../../../src/engine/methods/targets.ts";
import type { Facts } from "../facts.ts";

/** A match that cannot be told counts as none: `regex-unusable` says so. */
export function fullMatchOf({ match }: Facts): FullMatch {
  return (pattern, text) => {
    const matched = match(pattern, [text]);
    return matched.ok && matched.matches[0] === true;
  };
}
