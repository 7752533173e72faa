/** @file The patterns of a tokenizer file: plain strings and Oniguruma regular expressions. */
import { UserError } from "../../../shared/errors.ts";
import { isRecord } from "../../../shared/wire.ts";
import { asOfUnicode16 } from "./characters.ts";
import { member, refuse, text, type JsonValue } from "./json-value.ts";
import { translateOniguruma, UntranslatableExpression } from "./oniguruma.ts";

export type Range = readonly [start: number, end: number];

/** Finds every match in a text, from left to right, none overlapping. */
export type Pattern = (text: string) => Iterable<Range>;

/** Reads `{ "String": … }`, `{ "Regex": … }` or a bare string. */
export function readPattern(value: JsonValue): Pattern {
  if (typeof value.value === "string") return matchString(value.value);
  if (isRecord(value.value)) {
    const string = member(value, "String");
    if (string.value !== undefined) return matchString(text(string));
    const regex = member(value, "Regex");
    if (regex.value !== undefined) return matchRegex(regex);
  }
  return refuse(value, 'a pattern: {"String": …} or {"Regex": …}');
}

/** Finds a JavaScript regular expression, seeing the characters that Unicode 16 knew. */
export function matchExpression(expression: RegExp): Pattern {
  return function* (subject) {
    for (const match of asOfUnicode16(subject).matchAll(expression))
      yield [match.index, match.index + match[0].length];
  };
}

function matchString(wanted: string): Pattern {
  return function* (subject) {
    if (wanted === "") return;
    for (
      let at = subject.indexOf(wanted);
      at >= 0;
      at = subject.indexOf(wanted, at + wanted.length)
    )
      yield [at, at + wanted.length];
  };
}

function matchRegex(value: JsonValue): Pattern {
  try {
    return matchExpression(new RegExp(translateOniguruma(text(value)), "gv"));
  } catch (cause) {
    if (!(cause instanceof UntranslatableExpression || cause instanceof SyntaxError)) throw cause;
    throw new UserError({
      code: "unsupported-tokenizer",
      message: `The regular expression \`${text(value)}\` cannot be run here: ${cause.message}.`,
      place: { file: value.file, field: value.path },
      remedy: "Use a model whose tokenizer splits with a simpler expression.",
      cause,
    });
  }
}
