/** @file Damaged experiment files in numbers that the quick test has no time for. */
import { test } from "node:test";
import { corpus, damaged, exercise } from "./damage.ts";
import { random } from "./random.ts";

test("damaged files never throw, and their findings lie within them", () => {
  const pick = random(99);
  for (let round = 0; round < 5_000; round += 1) {
    const text = damaged(corpus[round % corpus.length] ?? "", pick);
    try {
      exercise(text, pick);
    } catch (error) {
      throw new Error(`round ${round}, text ${JSON.stringify(text)}`, { cause: error });
    }
  }
});
