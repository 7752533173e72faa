/** @file Tokens are chosen as their options say, and the same for the same place. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { candidates, mostLikely, tokenChooser } from "../../../../src/engine/network/sampling.ts";
import { uniformNumbers } from "../../../../src/engine/session/generate-text.ts";

const logits = Float32Array.from([0, 3, 1, 3, -2, 2]);

function kept(options: Parameters<typeof candidates>[1]): readonly number[] {
  return [...candidates(logits, options).ids].toSorted((a, b) => a - b);
}

describe("candidates", () => {
  it("are all tokens where nothing bounds them", () => {
    assert.deepEqual(kept({ temperature: 1 }), [0, 1, 2, 3, 4, 5]);
  });

  it("of top-k are the largest, with those that equal the last", () => {
    assert.deepEqual(kept({ temperature: 1, topK: 1 }), [1, 3]);
    assert.deepEqual(kept({ temperature: 1, topK: 3 }), [1, 3, 5]);
    assert.deepEqual(kept({ temperature: 1, topK: 100 }), [0, 1, 2, 3, 4, 5]);
  });

  it("of top-p are the fewest whose share reaches it, after the temperature", () => {
    // e³ : e³ : e² : e : 1 : e⁻² is 0.386 0.386 0.142 0.052 0.019 0.003.
    assert.deepEqual(kept({ temperature: 1, topP: 0.3 }), [1]);
    assert.deepEqual(kept({ temperature: 1, topP: 0.5 }), [1, 3]);
    assert.deepEqual(kept({ temperature: 1, topP: 0.9 }), [1, 3, 5]);
    assert.deepEqual(kept({ temperature: 1, topP: 0 }), [1]);
    assert.deepEqual(kept({ temperature: 0.25, topP: 0.9 }), [1, 3]);
    assert.deepEqual(kept({ temperature: 1, topK: 3, topP: 0.8 }), [1, 3]);
  });

  it("weigh e to the power of logit over temperature", () => {
    const { ids, weights } = candidates(logits, { temperature: 2 });
    ids.forEach((id, place) => {
      const expected = Math.exp(((logits[id] ?? NaN) - 3) / 2);
      assert(Math.abs((weights[place] ?? NaN) - expected) < 1e-12);
    });
  });
});

describe("choosing", () => {
  it("without temperature takes the most likely, the first among equals", () => {
    assert.equal(mostLikely(logits), 1);
    const choose = tokenChooser({ temperature: 0 }, () => assert.fail("nothing is drawn"));
    assert.equal(choose(logits, 0, 0), 1);
  });

  it("draws each token as often as its weight says", () => {
    const choose = tokenChooser({ temperature: 1 }, uniformNumbers(7));
    const counts = new Float64Array(logits.length);
    const draws = 20_000;
    for (let place = 0; place < draws; place++) {
      const id = choose(logits, 0, place);
      counts[id] = (counts[id] ?? 0) + 1;
    }
    const { weights } = candidates(logits, { temperature: 1 });
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    weights.forEach((weight, id) => {
      const share = weight / total;
      const deviation = Math.sqrt((share * (1 - share)) / draws);
      assert(Math.abs((counts[id] ?? 0) / draws - share) < 4 * deviation, `token ${id}`);
    });
  });

  it("never leaves the candidates, whatever is drawn", () => {
    for (const number of [0, 0.5, 1 - 2 ** -53]) {
      const choose = tokenChooser({ temperature: 1, topK: 2 }, () => number);
      assert([1, 3].includes(choose(logits, 0, 0)));
    }
  });
});

it("uniform numbers follow from seed, sequence and position alone", () => {
  const [a, b, other] = [uniformNumbers(1), uniformNumbers(1), uniformNumbers(2)];
  const later = a(0, 5);
  assert.equal(a(0, 4), b(0, 4));
  assert.equal(b(0, 5), later);
  assert.notEqual(a(0, 4), a(0, 5));
  assert.notEqual(a(0, 4), a(1, 4));
  assert.notEqual(a(0, 4), other(0, 4));
  for (let place = 0; place < 100; place++) assert(a(0, place) >= 0 && a(0, place) < 1);
});
