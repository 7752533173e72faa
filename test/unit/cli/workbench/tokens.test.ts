/** @file Examples as the tokens panel shows them are those that the run trains on. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { it } from "node:test";
import { tokensOf } from "../../../../src/cli/workbench/tokens.ts";
import { makeWorkspace, tinyExperiment } from "../../../support/workspace.ts";

it("leaves a prompt its room in the model's length, as a run does", async (t) => {
  const shown = async (method: string) => {
    const text = tinyExperiment.replace(/^method: .*$/mu, `method: ${method}`);
    return tokensOf(join(makeWorkspace(t, text), "a.peft.yaml"), 0, 1);
  };
  assert.equal((await shown("lora")).maxLength, 64);
  // 20 of the model's 64 places are the prompt's.
  for (const type of ["prompt_tuning", "prefix_tuning"])
    assert.equal((await shown(`{ type: ${type}, num_virtual_tokens: 20 }`)).maxLength, 44, type);
});
