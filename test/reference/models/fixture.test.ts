/** @file The committed fixtures are whole: every name loads, and its sections agree with one another. */
import assert from "node:assert/strict";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { causalNames, classifierNames, loadFixture, quantizedName } from "./fixture.ts";

const folder = join(import.meta.dirname, "fixtures");
const names = [...causalNames, ...classifierNames, quantizedName];

test("every file has its name in the lists", () => {
  assert.deepEqual(readdirSync(folder).toSorted(), names.map((name) => `${name}.json`).toSorted());
});

describe("fixtures", () => {
  for (const name of names)
    test(name, () => {
      assert(statSync(join(folder, `${name}.json`)).size < 150_000);
      const fixture = loadFixture(name);
      assert.equal(fixture.name, name);
      assert.equal(fixture.config["model_type"], fixture.configAsSaved["model_type"]);
      assert.equal(fixture.batches.length, 3);
      assert.equal(fixture.forward.logits.length, fixture.batches[0]?.inputIds.length);
      const { lora, full } = fixture;
      const trained = lora.tensors.map((tensor) => tensor.name);
      assert.deepEqual(
        lora.gradients.parameters.map((row) => row.name).toSorted(),
        trained.toSorted(),
      );
      assert.equal(
        trained.filter((row) => row.endsWith(".lora_A.weight")).length,
        lora.sites.length,
      );
      assert.equal(full === undefined, name === quantizedName);
      if (full)
        assert.deepEqual(
          full.gradients.parameters.map((row) => row.name).toSorted(),
          fixture.tensors.map((tensor) => tensor.name).toSorted(),
        );
      for (const training of [lora.training, lora.trainingRsLora, ...(full ? [full.training] : [])])
        assert.equal(training.losses.length, 10);
    });
});
