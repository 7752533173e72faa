/** @file What the service says of a file that another extends. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { analyse } from "../../../server/src/analysis.ts";
import { diagnose } from "../../../server/src/diagnostics.ts";
import { base, world } from "../../golden/server/world.ts";

it("names the encoding of an extended file that is no UTF-8, and how to convert it", () => {
  const facts = {
    ...world(),
    text: () =>
      ({
        state: "absent",
        why: { code: "not-utf8", message: "UTF-16, not UTF-8", remedy: "Convert it." },
      }) as const,
  };
  const text = "extends: ./wide.peft.yaml\n";
  const [only, ...others] = diagnose(analyse({ file: `${base}/a.peft.yaml`, text }, facts));
  assert.deepEqual(others, []);
  assert.match(only?.message ?? "", /wide\.peft\.yaml` is UTF-16, not UTF-8/u);
  assert.equal(only?.remedy, "Convert it.");
});
