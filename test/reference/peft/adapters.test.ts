/** @file Adapters made by peft give the logits that peft gives, or are refused by the name of a field. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { FieldRule } from "../../../src/engine/adapters/lora-config-fields.ts";
import { loraConfigFields } from "../../../src/engine/adapters/lora-config-fields.ts";
import { logitsOf } from "../../../src/engine/network/inference.ts";
import { openForInference } from "../../../src/engine/session/open-for-inference.ts";
import type { InferenceModel } from "../../../src/engine/session/open-for-inference.ts";
import { UserError } from "../../../src/shared/errors.ts";
import { modelBatch } from "../models/batches.ts";
import { loadFixture } from "../models/fixture.ts";
import { writeAdapterFolder, writeModelFolder } from "../models/folder.ts";
import { largestError } from "../models/parity.ts";
import type { AdapterFixture } from "./fixture.ts";
import { adapterNames, loadAdapterFixture, loadLoraConfigFields } from "./fixture.ts";

/** Fields that are refused, each by its name, whatever else the adapter says. */
const refused: ReadonlyMap<string, string> = new Map([
  ["init-olora", "init_lora_weights"],
  ["init-pissa", "init_lora_weights"],
  ["layer-replication", "layer_replication"],
  ["lora-bias", "lora_bias"],
  ["target-parameters", "target_parameters"],
  ["trainable-tokens", "trainable_token_indices"],
]);

/** A fifth of what is promised: errors are near 1e-6. */
const limit = 2e-5;

describe("adapters made by peft", () => {
  let folder = "";
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "adapters-"));
  });
  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  for (const name of adapterNames())
    it(name, async (t) => {
      const fixture = loadAdapterFixture(name);
      const model = writeFolders(join(folder, name), fixture);
      const field = refused.get(name);
      if (field !== undefined) {
        assert(fixture.beyond.includes(field), `${name} does not use ${field}`);
        await assert.rejects(logits(model, fixture), (error) => {
          assert(error instanceof UserError);
          assert.equal(error.code, "unsupported-adapter-field");
          assert.equal(error.place?.field, field);
          assert(error.message.includes(JSON.stringify(fixture.config[field])), error.message);
          return true;
        });
        return;
      }
      const error = largestError(await logits(model, fixture), fixture.forward.logits.flat(2));
      t.diagnostic(`logits ${error.toExponential(1)}`);
      assert(error <= limit, `logits are off by ${error}`);
    });
});

it("every field of LoraConfig has a rule, and no other", () => {
  const { fields } = loadLoraConfigFields();
  assert.deepEqual(
    Object.keys(loraConfigFields).toSorted(),
    fields.map(({ name }) => name).toSorted(),
  );
});

it("peft's own defaults are all understood", () => {
  const rules: ReadonlyMap<string, FieldRule> = new Map(Object.entries(loraConfigFields));
  for (const { name, default: value } of loadLoraConfigFields().fields) {
    const rule = rules.get(name);
    if (typeof rule === "object" && "only" in rule && name !== "peft_type")
      assert(rule.only(value), `${name}: ${JSON.stringify(value)}`);
  }
});

function writeFolders(folder: string, fixture: AdapterFixture): InferenceModel {
  const [base, adapter] = [join(folder, "base"), join(folder, "adapter")];
  writeModelFolder(base, loadFixture(fixture.base));
  writeAdapterFolder(adapter, fixture);
  return {
    reference: { id: base },
    task: fixture.task,
    trained: { kind: "adapter", folder: adapter },
    quantization: null,
    device: { device: "cpu", threads: 1 },
  };
}

async function logits(model: InferenceModel, { batch }: AdapterFixture): Promise<Float32Array> {
  const places = { base: "/", env: {}, home: "/" };
  const open = await openForInference(model, places, () => undefined);
  try {
    return await logitsOf(open.context, modelBatch(open.trained.setup.model, batch, "real"));
  } finally {
    await open.close();
  }
}
