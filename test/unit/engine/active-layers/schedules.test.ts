/** @file Schedules over layers by what their papers promise: who trains at a step, how often, and when the rate goes on. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { activeLayers, rowNamed } from "../../../../src/engine/catalog.ts";
import { randomNumbers } from "../../../../src/engine/session/draw.ts";
import { at } from "../../../../src/shared/errors.ts";
import { parseFields } from "../../../../src/shared/experiment/parse-fields.ts";

const layers = Array.from({ length: 6 }, (_, index) => `layers.${index}`);
const blocks = ["embedding", ...layers, "head"];
const { shuffled } = randomNumbers(5);

function active(name: string, fields: object): (t: number) => readonly string[] {
  const row = rowNamed(activeLayers, name);
  const { value, findings } = parseFields(row.config, fields);
  assert.deepEqual(findings, []);
  const schedule = row.bind(value);
  return (t) => schedule.active({ t, blocks, layers, shuffled });
}

it("lisa trains embedding, head and so many layers, the same within an interval and each as often in the end", () => {
  const at1 = active("lisa", { layers: 2, interval: 3 });
  const counts = new Map(blocks.map((block) => [block, 0]));
  const rounds = 900;
  for (let round = 0; round < rounds; round++) {
    const own = at1(3 * round + 1);
    for (const t of [2, 3]) assert.deepEqual(at1(3 * round + t), own);
    assert.equal(own.filter((block) => layers.includes(block)).length, 2);
    for (const block of own) counts.set(block, (counts.get(block) ?? 0) + 1);
  }
  assert.equal(counts.get("embedding"), rounds);
  assert.equal(counts.get("head"), rounds);
  for (const layer of layers) {
    const share = (counts.get(layer) ?? 0) / rounds;
    assert(Math.abs(share - 2 / 6) < 0.06, `${layer}: ${share}`);
  }
});

for (const order of ["bottom2up", "top2down", "random"])
  for (const group of [1, 3])
    it(`hift, ${order} by ${group}, trains every block once in a turn, after which the rate goes on`, () => {
      const row = rowNamed(activeLayers, "hift");
      const cycle = row.bind({ group, order }).cycle(blocks.length);
      assert.equal(cycle, Math.ceil(blocks.length / group));
      const turn = active("hift", { group, order });
      for (const from of [0, cycle]) {
        const seen = Array.from({ length: cycle }, (_, index) => turn(from + index + 1));
        assert(seen.every((own) => own.length > 0 && own.length <= group));
        assert.deepEqual(seen.flat().toSorted(), blocks.toSorted());
        if (order === "bottom2up") assert.equal(at(at(seen, 0), 0), "embedding");
        if (order === "top2down") assert(at(seen, 0).includes("head"));
      }
    });
