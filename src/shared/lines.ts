/** @file Cuts a stream of bytes into lines, with a bound on the length of a line. */

/** A line longer than this is not kept: no event comes near it, and memory stays bounded. */
export const maxLineBytes = 1 << 20;

/** One line without its newline; `text` is absent where the line was too long to keep. */
export interface Line {
  readonly text?: string;
  /** Offset of its first byte, and of the byte behind its newline, from the start of the stream. */
  readonly start: number;
  readonly end: number;
}

export interface LineSplitter {
  /** The lines that this chunk completes. */
  readonly push: (chunk: Uint8Array) => readonly Line[];
  /** Bytes behind the last newline so far: a torn line if nothing follows. */
  readonly pending: () => number;
}

const newline = 10;

/** Splits bytes at newlines; `start` is the offset of the first byte to come. */
export function createLineSplitter(start = 0, limit = maxLineBytes): LineSplitter {
  const decoder = new TextDecoder();
  let lineStart = start;
  let kept: Uint8Array[] = [];
  let pending = 0;

  const keep = (part: Uint8Array) => {
    pending += part.length;
    if (pending > limit) kept = [];
    else if (part.length > 0) kept.push(part.slice());
  };

  const finish = (): Line => {
    const place = { start: lineStart, end: lineStart + pending + 1 };
    const line = pending > limit ? place : { text: decoder.decode(join(kept)), ...place };
    lineStart = place.end;
    kept = [];
    pending = 0;
    return line;
  };

  return {
    push: (chunk) => {
      const lines: Line[] = [];
      let from = 0;
      for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, from)) {
        keep(chunk.subarray(from, end));
        lines.push(finish());
        from = end + 1;
      }
      keep(chunk.subarray(from));
      return lines;
    },
    pending: () => pending,
  };
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
