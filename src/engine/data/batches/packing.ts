/** @file Packs examples into rows of bounded length. */
import { at, invariant } from "../../../shared/errors.ts";

/** Rows, each a list of examples: row `i` holds `members[starts[i]] … members[starts[i + 1] - 1]`. */
export interface Rows {
  readonly count: number;
  readonly members: Uint32Array;
  readonly starts: Uint32Array;
}

/** One example in each row. */
export function singleRows(examples: Uint32Array): Rows {
  return {
    count: examples.length,
    members: examples,
    starts: Uint32Array.from({ length: examples.length + 1 }, (_, index) => index),
  };
}

/**
 * Best fit decreasing, as TRL packs: from the longest example to the shortest, each goes into the fullest row
 * that has room for it, the earliest among equals. Rows are the same in every epoch; only their order changes.
 */
export function packRows(
  examples: Uint32Array,
  lengthOf: (example: number) => number,
  maxLength: number,
): Rows {
  const byLength = examples.toSorted((a, b) => lengthOf(b) - lengthOf(a) || a - b);
  const rows: number[][] = [];
  /** For each room left, the rows that have it, and how far they have been used. */
  const withRoom = Array.from({ length: maxLength + 1 }, () => ({
    rows: new Array<number>(),
    used: 0,
  }));
  const rooms = bitSet(maxLength + 1);
  for (const example of byLength) {
    const length = lengthOf(example);
    invariant(length > 0 && length <= maxLength, `an example of ${length} tokens fits into a row`);
    const room = rooms.nextFrom(length);
    let row: number;
    if (room < 0) row = rows.push([]) - 1;
    else {
      const waiting = at(withRoom, room);
      row = at(waiting.rows, waiting.used);
      waiting.used += 1;
      if (waiting.used === waiting.rows.length) {
        waiting.rows = [];
        waiting.used = 0;
        rooms.remove(room);
      }
    }
    at(rows, row).push(example);
    const left = (room < 0 ? maxLength : room) - length;
    if (left === 0) continue;
    at(withRoom, left).rows.push(row);
    rooms.add(left);
  }
  const starts = new Uint32Array(rows.length + 1);
  for (const [index, members] of rows.entries())
    starts[index + 1] = at(starts, index) + members.length;
  return { count: rows.length, members: Uint32Array.from(rows.flat()), starts };
}

/** A set of small numbers that finds the next one quickly. */
function bitSet(size: number): {
  add(value: number): void;
  remove(value: number): void;
  /** The smallest member that is at least `value`, or -1. */
  nextFrom(value: number): number;
} {
  const words = new Uint32Array(Math.ceil(size / 32));
  return {
    add(value) {
      words[value >>> 5] = at(words, value >>> 5) | (1 << (value & 31));
    },
    remove(value) {
      words[value >>> 5] = at(words, value >>> 5) & ~(1 << (value & 31));
    },
    nextFrom(value) {
      let index = value >>> 5;
      if (index >= words.length) return -1;
      let word = at(words, index) & (0xffffffff << (value & 31));
      while (word === 0) {
        index += 1;
        if (index >= words.length) return -1;
        word = at(words, index);
      }
      return 32 * index + 31 - Math.clz32(word & -word);
    },
  };
}
