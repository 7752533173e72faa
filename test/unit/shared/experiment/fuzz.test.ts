/** @file Damaged experiment files: whatever stands in them, reading ends and says what is wrong. */
import { test } from "node:test";
import { corpus, damaged, exercise } from "./damage.ts";
import { random } from "./random.ts";

test("damaged files never throw, and their findings lie within them", () => {
  const pick = random(20_240);
  for (let round = 0; round < 120; round += 1) {
    const text = damaged(corpus[round % corpus.length] ?? "", pick);
    try {
      exercise(text, pick);
    } catch (error) {
      throw new Error(`round ${round}, text ${JSON.stringify(text)}`, { cause: error });
    }
  }
});

test("files cut off at any place never throw", () => {
  const pick = random(7);
  for (const text of corpus)
    for (let end = 0; end < text.length; end += 1 + pick(80)) exercise(text.slice(0, end), pick);
});
