/** @file Exported adapters and merged models: they load back to the same logits here, and the record says that peft agrees. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { adapterFiles } from "../../../src/engine/exports/peft-adapter.ts";
import { logitsOf } from "../../../src/engine/network/inference.ts";
import { exportAdapter } from "../../../src/engine/session/export-run.ts";
import { openForInference } from "../../../src/engine/session/open-for-inference.ts";
import type { TrainedPart } from "../../../src/engine/session/open-for-inference.ts";
import { isRecord } from "../../../src/shared/wire.ts";
import { modelBatch } from "../models/batches.ts";
import { loadFixture } from "../models/fixture.ts";
import { largestError } from "../models/parity.ts";
import { exportCase } from "./export-case.ts";
import type { ExportCase } from "./export-cases.ts";
import { exportCases } from "./export-cases.ts";
import { loadLoraConfigFields } from "./fixture.ts";

describe("exports load back", () => {
  let folder = "";
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "exports-"));
  });
  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  for (const [name, exported] of Object.entries(exportCases))
    it(name, async (t) => {
      const path = join(folder, name);
      await exportCase(path, exported);
      const expected = numbersIn(json(join(path, "input.json"))["logits"]);
      const config = json(join(path, "adapter", adapterFiles.config));
      if (config["peft_type"] === "LORA")
        assert.deepEqual(Object.keys(config), loadLoraConfigFields().saved);

      const adapter = { kind: "adapter", folder: join(path, "adapter") } as const;
      const again = join(path, "again");
      const back = await logits(join(path, "base"), adapter, exported, again);
      const error = largestError(back, expected);
      const files = exported.rounds ? [adapterFiles.config] : Object.values(adapterFiles);
      for (const file of files)
        assert.deepEqual(
          readFileSync(join(again, file)),
          readFileSync(join(path, "adapter", file)),
          `${file} exported again`,
        );
      assert(error <= 1e-6, `the adapter's logits are off by ${error}`);
      if (exported.apart === true) return;
      const plain = { base: exported.base };
      const merged = await logits(join(path, "merged"), { kind: "none" }, plain);
      const mergedError = largestError(merged, expected);
      t.diagnostic(`adapter ${error.toExponential(1)}, merged ${mergedError.toExponential(1)}`);
      // 16-bit weights round what was added to them.
      const limit = exported.storage === undefined ? 1e-5 : 2e-2;
      assert(mergedError <= limit, `the merged model's logits are off by ${mergedError}`);
    });
});

it("peft and transformers agree, by the record of check_exports.py", () => {
  const { cases } = json(join(import.meta.dirname, "exports.json"));
  assert(isRecord(cases));
  assert.deepEqual(Object.keys(cases).toSorted(), Object.keys(exportCases).toSorted());
  for (const [name, row] of Object.entries(cases))
    assert(isRecord(row) && row["ok"] === true, name);
});

async function logits(
  model: string,
  trained: TrainedPart,
  { base, quantization }: Pick<ExportCase, "base" | "quantization">,
  exportTo?: string,
): Promise<Float32Array> {
  const { task, batches } = loadFixture(base);
  const open = await openForInference(
    {
      reference: { id: model },
      task,
      trained,
      quantization: quantization === undefined ? null : nf4,
      device: { device: "cpu", threads: 1 },
    },
    { base: "/", env: {}, home: "/" },
    () => undefined,
  );
  try {
    if (exportTo !== undefined) await exportAdapter(open.method, open.trained, exportTo);
    const [batch] = batches;
    assert(batch);
    return await logitsOf(open.context, modelBatch(open.trained.setup.model, batch, "real"));
  } finally {
    await open.close();
  }
}

/** As the case's experiment reads it. */
const nf4 = {
  type: "nf4",
  config: { block_size: 64, double_quant: true },
  skip_modules: ["lm_head"],
} as const;

function json(file: string): Readonly<Record<string, unknown>> {
  const value: unknown = JSON.parse(readFileSync(file, "utf8"));
  assert(isRecord(value), file);
  return value;
}

function numbersIn(value: unknown): readonly number[] {
  if (Array.isArray(value)) return value.flatMap(numbersIn);
  assert(typeof value === "number");
  return [value];
}
