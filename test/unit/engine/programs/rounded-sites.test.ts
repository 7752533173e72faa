/** @file Inputs are rounded where a layer's setup says so, and nowhere else. */
import assert from "node:assert/strict";
import { it } from "node:test";
import type { BlockSetup, Storage } from "../../../../src/engine/programs/setup.ts";
import { passLayer } from "../../../../src/engine/quantize/one-layer.ts";
import { createOrtBackend } from "../../../../src/engine/runtime/ort.ts";
import { withRoundedInputs } from "../../../../src/engine/session/rounded-inputs.ts";
import { at } from "../../../../src/shared/errors.ts";
import { smallModel } from "../quantize/open-layer.ts";
import { networkCases } from "../network/cases.ts";

const backend = await createOrtBackend({ device: "cpu", threads: 1 });
const rounding = { type: "integer", bits: 2, symmetric: true } as const;
const { model, batch } = at(networkCases, 0);

async function output(sites: readonly string[] | undefined): Promise<Float32Array> {
  const { parts, setup, weights, batches, states } = await smallModel(backend, model, batch);
  const inputs = sites && { rounding, sites: new Set(sites) };
  await passLayer(parts, { ...setup, ...(inputs && { inputs }) }, weights, batches, states);
  return at(states, 0);
}

it("only what the named sites read is rounded", async () => {
  const names = at(
    model.blocks.filter(({ kind }) => kind === "layer"),
    0,
  ).linears.map(({ name }) => name);
  const plain = await output(undefined);
  assert.deepEqual(await output([]), plain);
  const all = await output(names);
  const one = await output(names.slice(-1));
  for (const [a, b] of [
    [plain, all],
    [plain, one],
    [all, one],
  ] as const)
    assert.notDeepEqual(a, b);
});

it("a folder's sites are those whose weights are packed", async () => {
  const { setup } = await smallModel(backend, model, batch);
  const [first, second, third] = setup.spec.linears.map(({ name }) => name);
  const held: BlockSetup = {
    ...setup,
    storage: new Map<string, Storage>([
      [`${first}.weight`, { type: "packed", bytes: 1 }],
      [`${second}.weight`, { type: "bfloat16" }],
      [`${third}.weight`, { type: "nf4", blockSize: 64, doubleQuant: true }],
    ]),
  };
  const whole = {
    ...{ model, trained: [], factors: [], trainableParameters: 0, totalParameters: 0 },
    setups: new Map([[setup.spec.id, held]]),
  };
  const found = withRoundedInputs(whole, rounding).setups.get(setup.spec.id)?.inputs;
  assert.deepEqual(found, { rounding, sites: new Set([first, third]) });
  assert.equal(withRoundedInputs(whole, undefined), whole);
});
