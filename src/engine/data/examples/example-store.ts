/** @file Tokenized examples in flat arrays: no object for an example, one copy of the tokens. */
import { at, invariant, UserError } from "../../../shared/errors.ts";

/** Examples of a data set, from 0 to `count`. */
export interface Examples {
  readonly count: number;
  /** Ids of all examples, one after the other. */
  readonly ids: Int32Array;
  /** Example `i` has the ids from `starts[i]` to `starts[i + 1]`. */
  readonly starts: Uint32Array;
  /** For each id, 1 where it is trained on. */
  readonly trained: Uint8Array;
  /** For each id, 0 or 1 for the first or second text; only where the data have pairs. */
  readonly typeIds: Uint8Array | undefined;
  /** The row of the file that each example came from. */
  readonly rows: Uint32Array;
  /** Class ids or numbers of labelled examples. */
  readonly labels: Float64Array | undefined;
}

export interface NewExample {
  readonly ids: ArrayLike<number>;
  readonly trained: ArrayLike<number>;
  readonly typeIds?: ArrayLike<number> | undefined;
  readonly row: number;
  readonly label?: number | undefined;
}

export interface ExampleStore {
  add(example: NewExample): void;
  /** The examples so far; the store is used up. */
  finish(): Examples;
}

/** Ids are counted in 32 bits. */
const mostIds = 2 ** 31 - 1;

export function exampleStore(options: {
  readonly typeIds: boolean;
  readonly labels: boolean;
}): ExampleStore {
  let ids = new Int32Array(1024);
  let trained = new Uint8Array(1024);
  let typeIds = new Uint8Array(options.typeIds ? 1024 : 0);
  let used = 0;
  let starts = new Uint32Array(64);
  let rows = new Uint32Array(64);
  let labels = new Float64Array(options.labels ? 64 : 0);
  let count = 0;

  return {
    add(example) {
      const end = used + example.ids.length;
      if (end > mostIds) throw tooMany();
      if (end > ids.length) {
        const size = Math.min(mostIds, Math.max(end, Math.ceil(ids.length * 1.5)));
        ids = grown(new Int32Array(size), ids);
        trained = grown(new Uint8Array(size), trained);
        if (options.typeIds) typeIds = grown(new Uint8Array(size), typeIds);
      }
      if (count + 1 >= starts.length) {
        const size = 2 * starts.length;
        starts = grown(new Uint32Array(size), starts);
        rows = grown(new Uint32Array(size), rows);
        if (options.labels) labels = grown(new Float64Array(size), labels);
      }
      ids.set(example.ids, used);
      trained.set(example.trained, used);
      if (options.typeIds) typeIds.set(example.typeIds ?? [], used);
      if (options.labels) {
        invariant(example.label !== undefined, "a labelled example has a label");
        labels[count] = example.label;
      }
      rows[count] = example.row;
      count += 1;
      used = end;
      starts[count] = used;
    },
    finish: () => ({
      count,
      ids: ids.subarray(0, used),
      starts: starts.subarray(0, count + 1),
      trained: trained.subarray(0, used),
      typeIds: options.typeIds ? typeIds.subarray(0, used) : undefined,
      rows: rows.subarray(0, count),
      labels: options.labels ? labels.subarray(0, count) : undefined,
    }),
  };
}

/** Number of ids of an example. */
export function exampleLength(examples: Examples, index: number): number {
  return at(examples.starts, index + 1) - at(examples.starts, index);
}

/** The examples as they are where none may be longer than so many tokens: the rest of each is cut off. */
export function cutExamples(examples: Examples, maxLength: number): Examples {
  const { count, ids, starts, trained, typeIds } = examples;
  const cut = new Uint32Array(count + 1);
  for (let index = 0; index < count; index++)
    cut[index + 1] = at(cut, index) + Math.min(maxLength, exampleLength(examples, index));
  if (at(cut, count) === ids.length) return examples;
  const kept = <T extends Int32Array | Uint8Array>(from: T, into: T): T => {
    for (let index = 0; index < count; index++) {
      const start = at(starts, index);
      const length = at(cut, index + 1) - at(cut, index);
      into.set(from.subarray(start, start + length), at(cut, index));
    }
    return into;
  };
  const size = at(cut, count);
  return {
    ...examples,
    ids: kept(ids, new Int32Array(size)),
    starts: cut,
    trained: kept(trained, new Uint8Array(size)),
    typeIds: typeIds && kept(typeIds, new Uint8Array(size)),
  };
}

function grown<T extends { set(from: T): void }>(larger: T, from: T): T {
  larger.set(from);
  return larger;
}

function tooMany(): UserError {
  return new UserError({
    code: "too-many-tokens",
    message: `The data have more than ${mostIds} tokens.`,
    remedy: "Split the file and train on the parts one after the other.",
  });
}
