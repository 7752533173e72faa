/** @file Examples in flat arrays, cut to a length, and in groups to generate from. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  cutExamples,
  exampleStore,
} from "../../../../../src/engine/data/examples/example-store.ts";
import { promptGroups } from "../../../../../src/engine/data/examples/prompts.ts";

function stored(...lengths: readonly number[]) {
  const store = exampleStore({ typeIds: true, labels: false });
  lengths.forEach((length, row) => {
    const ids = Array.from({ length }, (_, place) => 10 * row + place);
    // The last two tokens are the completion.
    const trained = ids.map((_, place) => Number(place >= length - 2));
    store.add({ ids, trained, typeIds: ids.map(() => row % 2), row });
  });
  return store.finish();
}

describe("examples cut to a length", () => {
  it("keep their first tokens, with all that belongs to them", () => {
    const cut = cutExamples(stored(3, 5, 2), 3);
    assert.deepEqual([...cut.starts], [0, 3, 6, 8]);
    assert.deepEqual([...cut.ids], [0, 1, 2, 10, 11, 12, 20, 21]);
    assert.deepEqual([...cut.trained], [0, 1, 1, 0, 0, 0, 1, 1]);
    assert.deepEqual([...(cut.typeIds ?? [])], [0, 0, 0, 1, 1, 1, 0, 0]);
  });

  it("are the same where none is longer", () => {
    const examples = stored(3, 5, 2);
    assert.equal(cutExamples(examples, 5), examples);
  });
});

describe("groups of prompts", () => {
  it("are equally large: the last repeats its last prompt, and has its own completions alone", () => {
    const examples = stored(...Array.from({ length: 18 }, (_, index) => 3 + (index % 3)));
    const [first, last, ...more] = promptGroups(
      examples,
      Uint32Array.from({ length: 18 }, (_, i) => i),
    );
    assert(first && last && more.length === 0);
    assert.deepEqual([first.prompts.length, first.completions.length], [16, 16]);
    assert.deepEqual([last.prompts.length, last.completions.length], [16, 2]);
    assert.deepEqual(
      last.prompts.slice(0, 3).map((ids) => [...ids]),
      [
        [160, 161],
        [170, 171, 172],
        [170, 171, 172],
      ],
    );
    assert.deepEqual(
      last.completions.map((ids) => [...ids]),
      [
        [162, 163],
        [173, 174],
      ],
    );
  });

  it("are no larger than there are examples", () => {
    const [only, ...more] = promptGroups(stored(4, 4, 4), Uint32Array.of(2, 0));
    assert(only && more.length === 0);
    assert.deepEqual(
      only.prompts.map((ids) => [...ids]),
      [
        [20, 21],
        [0, 1],
      ],
    );
  });
});
