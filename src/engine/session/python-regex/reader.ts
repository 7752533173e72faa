/** @file A regular expression while it is read: where reading stands, which groups there are, the first fault. */
import type { Fault, Flags, Node, Width } from "./tree.ts";

/** The text with a place in it, the groups found so far, and the first fault. */
export interface Reader {
  readonly ended: () => boolean;
  /** The next character, of two code units where it takes them; empty at the end. */
  readonly peek: () => string;
  readonly next: () => string;
  /** Takes `text` where it comes next. */
  readonly take: (text: string) => boolean;
  /** Takes what a sticky expression matches here. */
  readonly match: (form: RegExp) => RegExpExecArray | undefined;
  readonly offset: () => number;
  readonly rewind: (offset: number) => void;
  /** Notes the fault, unless there is one, and goes to the end, so that all reading stops. */
  readonly fail: (message: string, offset?: number) => void;
  readonly failure: () => Fault | undefined;
  readonly groups: Groups;
}

interface Groups {
  count: number;
  depth: number;
  readonly names: Map<string, number>;
  /** Widths of the closed ones. */
  readonly closed: Map<number, Width>;
}

export function createReader(pattern: string, start: number): Reader {
  let at = start;
  let failure: Fault | undefined;
  const peek = () =>
    at < pattern.length ? String.fromCodePoint(pattern.codePointAt(at) ?? 0) : "";
  return {
    ended: () => at >= pattern.length,
    peek,
    next: () => {
      const character = peek();
      at += character.length;
      return character;
    },
    take: (text) => {
      const found = pattern.startsWith(text, at);
      if (found) at += text.length;
      return found;
    },
    match: (form) => {
      form.lastIndex = at;
      const match = form.exec(pattern);
      if (match !== null) at += match[0].length;
      return match ?? undefined;
    },
    offset: () => at,
    rewind: (offset) => {
      if (failure === undefined) at = offset;
    },
    fail: (message, offset = at) => {
      failure ??= { message, offset };
      at = pattern.length;
    },
    failure: () => failure,
    groups: { count: 0, depth: 0, names: new Map(), closed: new Map() },
  };
}

/** A reference to a group that has been closed. */
export function reference(reader: Reader, index: number, flags: Flags, start: number): Node {
  const { count, closed: ended } = reader.groups;
  if (index > count || index === 0) reader.fail(`invalid group reference ${index}`, start);
  else if (!ended.has(index)) reader.fail("cannot refer to an open group", start);
  return { kind: "reference", group: index, flags };
}
