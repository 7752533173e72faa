/** @file Reads the JSON of a safetensors header: this one grammar and no other, in memory bounded by its length. */

/** One tensor as the header states it; nothing is checked yet but that the fields are there. */
export interface HeaderEntry {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

export interface HeaderText {
  /** Entries in the order of the text, with repeated names. */
  readonly entries: readonly HeaderEntry[];
  readonly metadata: ReadonlyMap<string, string>;
}

/** Why the text is no header, and how many characters into it. */
export interface HeaderProblem {
  readonly problem: string;
  readonly position: number;
  /** The tensor being read. */
  readonly tensor?: string;
}

/**
 * Reads `{ "__metadata__": {text: text}, name: { "dtype", "shape", "data_offsets" }, … }`.
 *
 * JSON.parse would keep the last of two equal keys without a word, take 1e3 for an offset, and
 * build whatever a hostile text describes; this reader holds no more than the entries themselves.
 */
export function readHeaderText(text: string): HeaderText | HeaderProblem {
  const cursor = createCursor(text);
  let tensor: string | undefined;
  try {
    const entries: HeaderEntry[] = [];
    const metadata = new Map<string, string>();
    let hasMetadata = false;
    cursor.object((key) => {
      if (key !== "__metadata__") {
        tensor = key;
        entries.push(readEntry(cursor, key));
        tensor = undefined;
        return;
      }
      if (hasMetadata) cursor.fail("__metadata__ stands there twice");
      hasMetadata = true;
      cursor.object((name) => {
        if (metadata.has(name)) cursor.fail(`__metadata__ has ${quote(name)} twice`);
        metadata.set(name, cursor.string("a text, as every value of __metadata__ must be"));
      });
    });
    cursor.end();
    return { entries, metadata };
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    const { message: problem, position } = error;
    return { problem, position, ...(tensor === undefined ? {} : { tensor }) };
  }
}

/** More dimensions than any framework has; keeps a hostile shape from costing memory. */
const mostDimensions = 64;

function readEntry(cursor: Cursor, name: string): HeaderEntry {
  let dtype: string | undefined;
  let shape: readonly number[] | undefined;
  let offsets: readonly number[] | undefined;
  const once = (field: string, earlier: unknown) => {
    if (earlier !== undefined) cursor.fail(`${field} stands there twice`);
  };
  cursor.object((field) => {
    switch (field) {
      case "dtype":
        once(field, dtype);
        dtype = cursor.string("the name of an element type");
        return;
      case "shape":
        once(field, shape);
        shape = cursor.numbers(mostDimensions, "dimensions");
        return;
      case "data_offsets":
        once(field, offsets);
        offsets = cursor.numbers(2, "data_offsets");
        return;
      default:
        cursor.fail(`${quote(field)} is not a field of a tensor`);
    }
  });
  const [begin, end] = offsets ?? [];
  if (dtype === undefined) return cursor.fail("dtype is missing");
  if (shape === undefined) return cursor.fail("shape is missing");
  if (begin === undefined || end === undefined)
    return cursor.fail(
      `data_offsets ${offsets === undefined ? "is missing" : "has no two numbers"}`,
    );
  return { name, dtype, shape, begin, end };
}

class Malformed extends Error {
  readonly position: number;

  constructor(message: string, position: number) {
    super(message);
    this.position = position;
  }
}

interface Cursor {
  /** An object whose values `member` reads, called behind each colon. */
  readonly object: (member: (key: string) => void) => void;
  readonly string: (expected: string) => string;
  /** A list of at most `most` whole numbers from 0 up. */
  readonly numbers: (most: number, what: string) => readonly number[];
  /** Nothing but white space is left. */
  readonly end: () => void;
  readonly fail: (problem: string) => never;
}

function createCursor(text: string): Cursor {
  let position = 0;

  const fail = (problem: string): never => {
    throw new Malformed(problem, position);
  };
  const skipSpace = () => {
    while (isSpace(text.charCodeAt(position))) position += 1;
  };
  /** Whether the next sign is `sign`, which is then passed. */
  const take = (sign: string): boolean => {
    skipSpace();
    if (text[position] !== sign) return false;
    position += 1;
    return true;
  };
  const expect = (sign: string) => {
    if (!take(sign)) fail(`${found()} instead of ${sign}`);
  };
  const found = () => (position < text.length ? quote(text.charAt(position)) : "the end");

  const string = (expected: string): string => {
    if (!take('"')) fail(`${found()} instead of ${expected}`);
    const start = position;
    let escaped = false;
    for (;;) {
      const code = text.charCodeAt(position);
      if (code === quotationMark) break;
      if (Number.isNaN(code)) fail("the end inside a text");
      if (code < 0x20) fail("a control character inside a text");
      if (code === backslash) {
        escaped = true;
        position += 1;
      }
      position += 1;
    }
    const raw = text.slice(start, position);
    position += 1;
    return escaped ? (unescape(raw) ?? fail("an escape that JSON does not have")) : raw;
  };

  const number = (): number => {
    skipSpace();
    wholeNumber.lastIndex = position;
    const digits = wholeNumber.exec(text)?.[0];
    if (digits === undefined) return fail(`${found()} instead of a whole number from 0 up`);
    const value = Number(digits);
    if (!Number.isSafeInteger(value)) fail("a number above 2^53");
    position += digits.length;
    return value;
  };

  /** Items between `open` and `close` with commas; `item` reads one. */
  const list = (open: string, close: string, item: () => void) => {
    expect(open);
    if (take(close)) return;
    for (;;) {
      item();
      if (take(close)) return;
      expect(",");
    }
  };

  return {
    fail,
    string,
    object: (member) =>
      list("{", "}", () => {
        const key = string("a key");
        expect(":");
        member(key);
      }),
    numbers: (most, what) => {
      const values: number[] = [];
      list("[", "]", () => {
        if (values.length === most) fail(`more than ${most} ${what}`);
        values.push(number());
      });
      return values;
    },
    end: () => {
      skipSpace();
      if (position < text.length) fail(`${found()} behind the end of the header`);
    },
  };
}

const quotationMark = 0x22;
const backslash = 0x5c;

/** Digits without a sign, a fraction, an exponent or a leading zero. */
const wholeNumber = /(?:0|[1-9]\d{0,15})(?![\d.eE])/y;

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

function unescape(raw: string): string | undefined {
  try {
    const value: unknown = JSON.parse(`"${raw}"`);
    // Half of a surrogate pair is no character and has no UTF-8.
    return typeof value === "string" && value.isWellFormed() ? value : undefined;
  } catch {
    return undefined;
  }
}

/** A name from a file as messages show it: quoted, without control characters, of bounded length. */
export function quote(name: string): string {
  return JSON.stringify(name.length > 120 ? `${name.slice(0, 120)}…` : name);
}
