/** @file Matches the regular expressions of experiments against names, within one time limit for all of them. */
import { UserError } from "../../shared/errors.ts";
import { createFullMatch } from "../../engine/session/python-regex.ts";
import type { Matched } from "../../../server/src/facts.ts";

/** For one expression on all names of a model. */
const deadlineMs = 100;

/** How many answers are kept: an experiment has a handful of expressions. */
const mostKept = 200;

export function createMatch(): (pattern: string, texts: readonly string[]) => Matched {
  const fullMatch = createFullMatch(deadlineMs);
  const kept = new Map<string, Matched>();
  return (pattern, texts) => {
    const key = JSON.stringify([pattern, texts]);
    const known = kept.get(key);
    if (known !== undefined) return known;
    const matched = matchAll(fullMatch, pattern, texts);
    if (kept.size >= mostKept) kept.clear();
    kept.set(key, matched);
    return matched;
  };
}

function matchAll(
  fullMatch: (pattern: string, text: string) => boolean,
  pattern: string,
  texts: readonly string[],
): Matched {
  const end = performance.now() + deadlineMs;
  try {
    const matches: boolean[] = [];
    for (const text of texts) {
      if (performance.now() > end) return { ok: false, problem: tooSlow(pattern) };
      matches.push(fullMatch(pattern, text));
    }
    return { ok: true, matches };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const { code, message, remedy } = error;
    return { ok: false, problem: { code, message, remedy } };
  }
}

function tooSlow(pattern: string) {
  return {
    code: "regex-too-slow",
    message: `The regular expression ${JSON.stringify(pattern.slice(0, 200))} takes longer than ${deadlineMs} ms on the model's names.`,
    remedy: "Write it with a single repeat, or as a list of names.",
  };
}
