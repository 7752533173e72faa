/** @file The escapes of Python's regular expressions, outside a set and inside. */
import type { Reader } from "./reader.ts";
import { reference } from "./reader.ts";
import type { AnchorName, ClassName, Flags, Member, Node } from "./tree.ts";

const anchors: Readonly<Record<string, AnchorName>> = {
  A: "start",
  Z: "end",
  b: "boundary",
  B: "no-boundary",
};
const classes: Readonly<Record<string, ClassName>> = { d: "d", s: "s", w: "w" };
const controls: Readonly<Record<string, number>> = { a: 7, f: 12, n: 10, r: 13, t: 9, v: 11 };

/** What stands behind a backslash outside a set; `start` is the backslash's place. */
export function escapeOutside(reader: Reader, flags: Flags, start: number): Node {
  const anchor = anchors[reader.peek()];
  if (anchor !== undefined) {
    reader.next();
    return { kind: "anchor", name: anchor, flags };
  }
  // Three octal digits are a character; one or two digits name a group.
  const octal = reader.match(/[0-3][0-7]{2}|0[0-7]?/y)?.[0];
  if (octal !== undefined) return one(parseInt(octal, 8), flags);
  const digits = reader.match(/[1-9]\d?/y)?.[0];
  if (digits !== undefined) return reference(reader, Number(digits), flags, start);
  const member = common(reader, start);
  return { kind: "set", members: [member], negated: false, flags };
}

/** What stands behind a backslash inside a set. */
export function escapeInSet(reader: Reader, start: number): Member {
  if (reader.take("b")) return range(8);
  const octal = reader.match(/[0-3]?[0-7]{1,2}/y)?.[0];
  return octal === undefined ? common(reader, start) : range(parseInt(octal, 8));
}

function common(reader: Reader, start: number): Member {
  const code = reader.match(/x([\dA-Fa-f]{2})|u([\dA-Fa-f]{4})|U([\dA-Fa-f]{8})/y);
  if (code !== undefined) {
    const value = parseInt(code[1] ?? code[2] ?? code[3] ?? "", 16);
    if (value > 0x10ffff) reader.fail("bad escape", start);
    return range(Math.min(value, 0x10ffff));
  }
  const character = reader.next();
  const name = classes[character.toLowerCase()];
  if (name !== undefined) return { kind: "class", name, negated: character !== name };
  const control = controls[character];
  if (control !== undefined) return range(control);
  if (character === "N")
    reader.fail("a character by its name, \\N{…}, is not supported; write it out", start);
  else if (character === "" || /[A-Za-z0-9]/.test(character))
    reader.fail(`bad escape \\${character}`, start);
  return range(character.codePointAt(0) ?? 0);
}

function one(code: number, flags: Flags): Node {
  return { kind: "set", members: [range(code)], negated: false, flags };
}

function range(code: number): Member {
  return { kind: "range", from: code, to: code };
}
