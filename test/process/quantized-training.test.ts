/** @file Training on packed bases: every form gives the adapter that the same weights give in float32. */
import assert from "node:assert/strict";
import { cpSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { at } from "../../src/shared/errors.ts";
import { isRecord } from "../../src/shared/wire.ts";
import { packedFormats } from "../../src/engine/quantizers/formats/table.ts";
import { openWeights } from "../../src/engine/weights/weight-source.ts";
import { writeModelWeights } from "../../src/engine/weights/write-safetensors.ts";
import { lastLine, runsOf, spectune } from "../support/command-line.ts";
import { calibrated, quantizedTo } from "../support/quantize.ts";
import { makeWorkspace } from "../support/workspace.ts";

/** Formats that were trained on. */
const trained = new Set<string>();

describe("an adapter on", () => {
  for (const [type, ...fields] of [
    ["nf4"],
    ["rtn", "--bits", "4", "--group", "16"],
    ["rtn", "--bits", "8", "--group", "16", "--set", "quantization.symmetric=true"],
    ["rtn", "--bits", "3", "--group", "16"],
    ["gptq", "--bits", "4", "--group", "16", "--set", "quantization.act_order=true"],
    ["fp6"],
    ["fp4"],
    ["quantease", "--group", "16", "--set", "quantization.outliers=0.02"],
    ["dgq", "--group", "16"],
    ["adadim", "--bits", "3", "--group", "16"],
    ["pb_llm"],
    ["zeroquant_fp", "--group", "16"],
    ["lq_lora", "--group", "16", "--set", "quantization.rank=4"],
    ["lq_lora", "--group", "16", "--set", "quantization.rank=0"],
    ["bitstack", "--set", "quantization.rank=4"],
  ] as const)
    it(`${type} ${fields.join(" ")} is that on the same weights in float32`, async (t) => {
      const folder = makeWorkspace(t);
      await quantizedTo(folder, "packed", type, ...fields, ...calibrated);
      for (const format of await formatsIn(join(folder, "packed"))) trained.add(format);
      await unpack(join(folder, "packed"), join(folder, "plain"));
      const own = await adapterOn(folder, "packed");
      const plain = await adapterOn(folder, "plain");
      assert.ok(Math.abs(own.loss - plain.loss) < 1e-5 * plain.loss, `${own.loss}, ${plain.loss}`);
      assert.deepEqual([...own.tensors.keys()], [...plain.tensors.keys()]);
      for (const [name, values] of own.tensors) {
        const other = plain.tensors.get(name) ?? new Float32Array(0);
        const largest = Math.max(...other.map(Math.abs));
        const worst = Math.max(...values.map((value, i) => Math.abs(value - (other[i] ?? NaN))));
        assert.ok(worst <= 2e-3 * largest, `${name}: ${worst} of ${largest}`);
      }
    });
});

it("every format is trained on", () => {
  const own = packedFormats.map(({ name }) => name).filter((name) => !trained.has(name));
  assert.deepEqual(own, []);
});

async function formatsIn(folder: string): Promise<readonly string[]> {
  const source = await openWeights(folder);
  const formats = [...source.tensors.values()].flatMap(({ packed }) => packed?.format ?? []);
  await source.close();
  return formats;
}

/** The same weights in float32, as a folder of their own. */
async function unpack(from: string, to: string): Promise<void> {
  cpSync(from, to, { recursive: true });
  const source = await openWeights(from);
  const config = record(JSON.parse(readFileSync(join(from, "config.json"), "utf8")));
  writeFileSync(join(to, "config.json"), JSON.stringify({ ...config, quantization_config: null }));
  await writeModelWeights(
    to,
    [...source.tensors.values()].map(({ name, shape, dtype }) => ({
      name,
      shape,
      dtype: dtype ?? "float32",
      async *chunks() {
        yield await source.read(name);
      },
    })),
    {},
    1e9,
  );
  await source.close();
}

/** What one step makes of an adapter. */
async function adapterOn(folder: string, model: string) {
  const before = existsSync(join(folder, ".spectune/runs")) ? runsOf(folder) : [];
  const run = await spectune(
    folder,
    "run",
    "a.peft.yaml",
    "--json",
    "--set",
    `model=./${model}`,
    "--set",
    "train.max_steps=3",
  );
  assert.equal(run.code, 0, run.err);
  const after = lastLine(run)["evalAfter"];
  const made = at(
    runsOf(folder).filter((name) => !before.includes(name)),
    0,
  );
  const source = await openWeights(join(made, "adapter/adapter_model.safetensors"));
  const tensors = new Map<string, Float32Array>();
  for (const name of source.tensors.keys())
    tensors.set(name, new Float32Array((await source.read(name)).buffer));
  await source.close();
  return { loss: Number(record(after)["loss"]), tensors };
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  assert.ok(isRecord(value));
  return value;
}
