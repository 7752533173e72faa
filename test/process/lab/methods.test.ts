/** @file Checkpoints of other methods than plain pairs: what a look sees is what their merged model holds. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { it } from "node:test";
import { at } from "../../../src/shared/errors.ts";
import { isRecord } from "../../../src/shared/wire.ts";
import { runsOf, spectune } from "../../support/command-line.ts";
import { makeWorkspace, tinyExperiment } from "../../support/workspace.ts";
import { asked, list, numbersOf } from "./small-models.ts";

for (const [type, why] of [
  ["dora", "its pair says nothing of the magnitudes"],
  ["vera", "its shared factors are drawn from the seed, and stored nowhere"],
  ["paca", "it trains columns that are chosen by whole numbers"],
  ["fish", "how many elements train at a site was found from data"],
] as const)
  it(`${type}: ${why}`, async (t) => {
    const experiment = tinyExperiment.replace(/method: .*/, `method: { type: ${type} }`);
    const folder = makeWorkspace(t, `${experiment}export: [merged]\n`);
    const made = await spectune(folder, "run", "a.peft.yaml");
    assert.equal(made.code, 0, made.err);
    const run = at(runsOf(folder), 0);
    const merged = ["spectra", "model", "--tuned", join(run, "merged")];
    const [whole] = list((await asked(folder, ...merged))["sides"]);
    const expected = new Map(list(whole?.["matrices"]).map((one) => [one["name"], one["tuned"]]));
    const last = list((await asked(folder, "spectra", "--checkpoints", run))["sides"]).at(-1);
    const records = list(last?.["matrices"]);
    const changes = ({ update }: (typeof records)[number]): boolean =>
      isRecord(update) && Number(update["relativeSize"]) > 0;
    const names = list(whole?.["matrices"])
      .filter(changes)
      .map((one) => one["name"]);
    assert.deepEqual(
      records.filter(changes).map((one) => one["name"]),
      names,
    );
    assert(names.length > 0);
    for (const { name, tuned, base } of records) {
      const other = expected.get(name);
      assert(isRecord(tuned) && isRecord(other) && isRecord(base));
      const [own, right] = [numbersOf(tuned["sigma"]), numbersOf(other["sigma"])];
      for (const [i, value] of own.entries())
        assert(Math.abs(value - at(right, i)) < 2e-6 * at(right, 0), `${String(name)} ${i}`);
    }
  });

it("an adapter whose form has no room for a correction is mitigated as merged weights", async (t) => {
  const experiment = tinyExperiment.replace(/method: .*/, "method: { type: vera }");
  const folder = makeWorkspace(t, `${experiment}export: [peft, merged]\n`);
  const made = await spectune(folder, "run", "a.peft.yaml");
  assert.equal(made.code, 0, made.err);
  const run = at(runsOf(folder), 0);
  const how = ["--adapter", join(run, "adapter"), "--keep", "1", "--out", "kept"];
  assert.equal((await asked(folder, "mitigate", "model", ...how))["form"], "model");
  const { total, matrices } = await asked(
    folder,
    ...["intruders", join(run, "merged"), "--tuned", "kept"],
  );
  assert.equal(total, 0);
  assert(list(matrices).length > 0);
});
