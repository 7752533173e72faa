/** @file The committed sample: what its generator writes, and nothing measured that was trained on. */
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { writeBlankModel, writeTaskData } from "../../../../src/build/sample/make-data.ts";
import { scratch } from "../../engine/runs/scratch.ts";
import { deedsOf } from "./deeds.ts";

const sample = join(import.meta.dirname, "../../../../media/sample");

describe("the committed sample", () => {
  it("has the data that the generator writes, byte for byte", async (t) => {
    const folder = scratch(t);
    await writeTaskData(folder);
    const names = readdirSync(folder).toSorted();
    assert.deepEqual(readdirSync(join(sample, "data")).toSorted(), names);
    for (const name of names)
      assert.ok(
        readFileSync(join(sample, "data", name)).equals(readFileSync(join(folder, name))),
        name,
      );
  });

  it("has a base of the configuration and the tokenizer that the generator writes", async (t) => {
    const folder = scratch(t);
    await writeBlankModel(folder);
    const json = (where: string, name: string): unknown =>
      JSON.parse(readFileSync(join(where, name), "utf8"));
    for (const name of ["config.json", "tokenizer.json", "tokenizer_config.json"])
      assert.deepEqual(json(join(sample, "base"), name), json(folder, name));
  });

  it("measures on no combination of person, thing and place that is trained on", () => {
    const combinations = (name: string): ReadonlySet<string> =>
      new Set(
        deedsOf(readFileSync(join(sample, "data", name), "utf8")).map(
          (deed) => `${deed.name} ${deed.thing} ${deed.place}`,
        ),
      );
    const train = combinations("train.jsonl");
    const [evaluated, tested, general] = ["eval.jsonl", "test.jsonl", "general.txt"].map(
      combinations,
    );
    assert.ok(
      train.size > 1000 && evaluated && evaluated.size > 100 && tested && tested.size > 100,
    );
    assert.ok(general && general.size > 100);
    const shared = (a: ReadonlySet<string>, b: ReadonlySet<string>): readonly string[] =>
      [...a].filter((each) => b.has(each));
    assert.deepEqual(shared(evaluated, train), []);
    assert.deepEqual(shared(tested, train), []);
    assert.deepEqual(shared(tested, evaluated), []);
    assert.deepEqual(shared(general, train), []);
  });
});
