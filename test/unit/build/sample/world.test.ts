/** @file The sample's world: parts that share nothing, and a task that its story answers. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Part } from "../../../../src/build/sample/world.ts";
import { drawing, paragraph, partOf, task } from "../../../../src/build/sample/world.ts";
import { deedsOf } from "./deeds.ts";

const parts = ["train", "eval", "test"] as const satisfies readonly Part[];

describe("the sample's world", () => {
  it("tells in each part deeds of that part alone, some of every one", () => {
    for (const part of parts) {
      const draw = drawing(5);
      const texts = Array.from({ length: 200 }, () => [
        paragraph(part, draw),
        task(part, draw).prompt,
      ]).flat();
      const deeds = texts.flatMap(deedsOf);
      assert.ok(deeds.length > 400);
      for (const deed of deeds) assert.equal(partOf(deed), part);
    }
  });

  it("keeps about a tenth of the combinations for eval and for test", () => {
    const draw = drawing(6);
    const texts = Array.from({ length: 3000 }, () => paragraph("train", draw));
    const combinations = new Set(
      texts.flatMap(deedsOf).map(({ name, thing, place }) => `${name} ${thing} ${place}`),
    );
    assert.ok(combinations.size > 0.75 * 1440 && combinations.size < 0.85 * 1440);
  });

  it("asks three things about a deed in every order, and answers them in it", () => {
    const draw = drawing(7);
    const orders = new Map<string, number>();
    const count = 600;
    for (let i = 0; i < count; i++) {
      const { prompt, completion } = task("eval", draw);
      const [deed, ...others] = deedsOf(prompt);
      assert.ok(deed);
      assert.deepEqual(others, []);
      const asked = [...prompt.matchAll(/(Which|Who|Where)[^?]*\?/g)].map(([, word = ""]) => word);
      const answers = new Map([
        ["Which", ` It is the ${deed.colour} ${deed.thing}.`],
        ["Who", ` It was ${deed.name}.`],
        ["Where", ` It is ${deed.place}.`],
      ]);
      assert.equal(asked.length, 3);
      assert.equal(completion, asked.map((word) => answers.get(word)).join(""));
      orders.set(asked.join(), (orders.get(asked.join()) ?? 0) + 1);
    }
    assert.equal(orders.size, 6);
    for (const often of orders.values()) assert.ok(often > count / 6 / 2);
  });

  it("draws the same for a seed, and something else for another", () => {
    const text = (seed: number): string => paragraph("train", drawing(seed));
    assert.equal(text(1), text(1));
    assert.notEqual(text(1), text(2));
  });
});
