/** @file Matches the regular expressions of experiments against names, within one time limit for all of them. */
import { UserError } from "../../shared/errors.ts";
import { createFullMatches } from "../../engine/session/python-regex.ts";
import type { Matched } from "../../../server/src/facts.ts";

/** For one expression on all names of a model. */
const keystrokeMs = 100;

/** How many answers are kept for one list of names: an experiment has a handful of expressions. */
const mostKept = 1000;

export function createMatch(
  deadlineMs = keystrokeMs,
): (pattern: string, texts: readonly string[]) => Matched {
  const fullMatches = createFullMatches(deadlineMs);
  const kept = new WeakMap<readonly string[], Map<string, Matched>>();
  return (pattern, texts) => {
    const ofTexts = kept.get(texts) ?? new Map<string, Matched>();
    kept.set(texts, ofTexts);
    const known = ofTexts.get(pattern);
    if (known !== undefined) return known;
    const matched = matchAll(fullMatches, pattern, texts);
    if (ofTexts.size >= mostKept) ofTexts.clear();
    ofTexts.set(pattern, matched);
    return matched;
  };
}

function matchAll(
  fullMatches: (pattern: string, texts: readonly string[]) => readonly boolean[],
  pattern: string,
  texts: readonly string[],
): Matched {
  try {
    return { ok: true, matches: fullMatches(pattern, texts) };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const { code, message, remedy } = error;
    return { ok: false, problem: { code, message, remedy } };
  }
}
