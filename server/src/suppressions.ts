/** @file Comments that silence checks: `# spectune-ignore: code, code`. */
import { nearest } from "../../src/shared/experiment/nearest.ts";
import { source } from "../../src/shared/experiment/tree.ts";
import type { Diagnostic } from "./diagnostics.ts";
import { canBeSilenced, codes } from "./codes.ts";

interface Suppression {
  readonly code: string;
  /** Offsets of the code within the comment. */
  readonly start: number;
  readonly end: number;
  /** The line whose findings it silences, from 0; `undefined` for the whole file. */
  readonly line: number | undefined;
}

const form = /(?:^|\s)#\s*spectune-ignore(-file)?:([^#]*)/;

function suppressionsOf(text: string): readonly Suppression[] {
  if (!text.includes("spectune-ignore")) return [];
  const lines = text.split("\n");
  let offset = 0;
  return lines.flatMap((line, number) => {
    const begin = offset;
    offset += line.length + 1;
    const match = form.exec(line);
    if (match === null) return [];
    const [whole, ofFile, list = ""] = match;
    const first = begin + match.index + whole.length - list.length;
    return [...list.matchAll(/[\w-]+/g)].map(({ 0: code, index }) => ({
      code,
      start: first + index,
      end: first + index + code.length,
      line: ofFile === undefined ? lineMeant(lines, number) : undefined,
    }));
  });
}

/** A comment on a line of its own speaks of the next line that says something. */
function lineMeant(lines: readonly string[], number: number): number {
  const isEmpty = (line: string | undefined) => line !== undefined && /^\s*(?:#|$)/.test(line);
  let meant = number;
  while (isEmpty(lines[meant]) && meant < lines.length - 1) meant += 1;
  return meant;
}

/** The diagnostics that no comment silences, and what is wrong with the comments. */
export function withoutSilenced(
  text: string,
  diagnostics: readonly Diagnostic[],
): readonly Diagnostic[] {
  const suppressions = suppressionsOf(text);
  if (suppressions.length === 0) return diagnostics;
  const { lineStarts } = source("", text);
  const lineOf = (offset: number) => lineStarts.findLastIndex((start) => start <= offset);
  const used = new Set<Suppression>();
  const left = diagnostics.filter(({ code, severity, start }) => {
    if (!canBeSilenced(code, severity)) return true;
    const silencing = suppressions.filter(
      (each) => each.code === code && (each.line === undefined || each.line === lineOf(start)),
    );
    for (const each of silencing) used.add(each);
    return silencing.length === 0;
  });
  return [...left, ...suppressions.flatMap((each) => (used.has(each) ? [] : [remarkOn(each)]))];
}

function remarkOn({ code, start, end }: Suppression): Diagnostic {
  const known = codes.map((row) => row.code);
  const at = { start, end, severity: "info" as const };
  if (known.includes(code))
    return {
      ...at,
      code: "unused-suppression",
      message: `There is no \`${code}\` here to silence.`,
      remedy: "Remove the comment.",
      fixes: [],
    };
  const near = nearest(code, known);
  const edit = near === undefined ? undefined : { file: "", start, end, text: near };
  return {
    ...at,
    code: "unknown-suppression",
    message: `There is no check \`${code}\`${near === undefined ? "." : `; did you mean \`${near}\`?`}`,
    fixes: edit === undefined ? [] : [{ title: `Write \`${edit.text}\``, edits: [edit] }],
  };
}
