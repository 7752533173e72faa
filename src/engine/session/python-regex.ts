/** @file Matches Python-style regular expressions within a time limit that holds whatever the expression does. */
import { Script, createContext } from "node:vm";
import { UserError } from "../../shared/errors.ts";
import type { FullMatch } from "../methods/targets.ts";
import type { Translated } from "./python-regex/translate.ts";
import { translatePythonRegex } from "./python-regex/translate.ts";

/**
 * The first group of an expression's last match in a text, or the whole match where it has no group;
 * `undefined` without a match, and where the group is not part of it.
 */
export type LastGroup = (pattern: string, text: string) => string | undefined;

/**
 * `re.fullmatch`. Each call may take `deadlineMs`. Throws a {@link UserError} `regex-invalid` for what Python
 * refuses or has no counterpart here, and `regex-too-slow` where the time is over.
 */
export function createFullMatch(deadlineMs: number): FullMatch {
  const compile = compiler(({ source, flags }) => new RegExp(`^(?:${source})$`, flags));
  return (pattern, text) => {
    const { expression } = compile(pattern);
    return limited(pattern, deadlineMs, () => expression.test(text));
  };
}

/** `re.fullmatch` of one expression on many texts, all of which together may take `deadlineMs`. */
export function createFullMatches(
  deadlineMs: number,
): (pattern: string, texts: readonly string[]) => readonly boolean[] {
  const compile = compiler(({ source, flags }) => new RegExp(`^(?:${source})$`, flags));
  return (pattern, texts) => {
    const { expression } = compile(pattern);
    return limited(pattern, deadlineMs, () => texts.map((text) => expression.test(text)));
  };
}

/** The last match that `re.finditer` gives. Limits and errors as {@link createFullMatch}. */
export function createLastGroup(deadlineMs: number): LastGroup {
  const compile = compiler(({ source, flags }) => new RegExp(source, `g${flags}`));
  return (pattern, text) => {
    const { expression, groups } = compile(pattern);
    return limited(pattern, deadlineMs, () => {
      let last: RegExpExecArray | undefined;
      for (const match of text.matchAll(expression)) last = match;
      return groups === 0 ? last?.[0] : last?.groups?.["g1"];
    });
  };
}

interface Compiled {
  readonly expression: RegExp;
  readonly groups: number;
}

type Build = (translated: Extract<Translated, { readonly ok: true }>) => RegExp;

/** Compiles each expression once: an experiment has a handful. */
function compiler(build: Build): (pattern: string) => Compiled {
  const known = new Map<string, Compiled>();
  return (pattern) => {
    const before = known.get(pattern);
    if (before) return before;
    const compiled = compiledBy(pattern, build);
    known.set(pattern, compiled);
    return compiled;
  };
}

function compiledBy(pattern: string, build: Build): Compiled {
  const translated = translatePythonRegex(pattern);
  if (!translated.ok)
    throw invalid(pattern, `${translated.message} (at character ${translated.offset + 1})`);
  try {
    return { expression: build(translated), groups: translated.groups };
  } catch (error) {
    throw invalid(pattern, "it is beyond what this JavaScript engine can match", error);
  }
}

function invalid(pattern: string, why: string, cause?: unknown): UserError {
  return new UserError({
    code: "regex-invalid",
    message: `The regular expression ${shown(pattern)} cannot be used: ${why}.`,
    remedy: "Expressions are written as for Python's `re`; in YAML best in 'single quotes'.",
    ...(cause === undefined ? {} : { cause }),
  });
}

function shown(pattern: string): string {
  return JSON.stringify(pattern.length > 200 ? `${pattern.slice(0, 200)}…` : pattern);
}

const box: { work: () => void } = { work: () => undefined };
let script: Script | undefined;
let context: ReturnType<typeof createContext> | undefined;

/**
 * The value of `work`, or an error when it takes longer. A timer could not end a match, for which the thread
 * is held; the time limit of `node:vm` is kept by another thread, and the engine's matcher obeys it.
 */
function limited<T>(pattern: string, deadlineMs: number, work: () => T): T {
  let result: { readonly value: T } | undefined;
  box.work = () => {
    result = { value: work() };
  };
  script ??= new Script("work()");
  context ??= createContext(box);
  try {
    script.runInContext(context, { timeout: deadlineMs });
  } catch (error) {
    if (isTimeout(error)) throw tooSlow(pattern, `takes longer than ${deadlineMs} ms`, error);
    if (error instanceof RangeError)
      throw tooSlow(pattern, "needs more memory than a match may take", error);
    if (error instanceof SyntaxError) throw invalid(pattern, "it is too large", error);
    throw error;
  } finally {
    box.work = () => undefined;
  }
  if (result === undefined) throw tooSlow(pattern, "did not come to an end");
  return result.value;
}

/** The error belongs to the script's own context, so that it is no `Error` of this one. */
function isTimeout(error: unknown): boolean {
  return (
    typeof error === "object" &&
    error !== null &&
    "code" in error &&
    error.code === "ERR_SCRIPT_EXECUTION_TIMEOUT"
  );
}

function tooSlow(pattern: string, what: string, cause?: unknown): UserError {
  return new UserError({
    code: "regex-too-slow",
    message: `The regular expression ${shown(pattern)} ${what}.`,
    remedy:
      "Repeats within repeats, such as (a+)+, can take forever; write it with a single repeat.",
    ...(cause === undefined ? {} : { cause }),
  });
}
