/** @file Bases that lie quantized on the disk: what was trained counts against what they expand to. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { openWeights } from "../../../src/engine/weights/weight-source.ts";
import { isRecord } from "../../../src/shared/wire.ts";
import { spectune } from "../../support/command-line.ts";
import { makeWorkspace } from "../../support/workspace.ts";
import { matrix, writeAdapter, writeModel } from "../../unit/engine/lab/folders.ts";
import { asked, list, numbersOf, plus } from "./small-models.ts";

const name = "model.layers.0.self_attn.q_proj.weight";
const module = "base_model.model.model.layers.0.self_attn.q_proj";
const [A, B] = [matrix(2, 32, 1), matrix(32, 2, 2)];
const adapter = { [`${module}.lora_A.weight`]: A, [`${module}.lora_B.weight`]: B };

/** The matrix as the folder expands it. */
async function expanded(folder: string) {
  const source = await openWeights(folder);
  try {
    const bytes = await source.read(name);
    const [rows = 0, columns = 0] = source.tensors.get(name)?.shape ?? [];
    const data = new Float32Array(bytes.buffer, bytes.byteOffset, rows * columns);
    return { rows, columns, data };
  } finally {
    await source.close();
  }
}

async function sigmaOf(
  folder: string,
  of: "base" | "tuned",
  ...args: readonly string[]
): Promise<readonly number[]> {
  const json = await asked(folder, "spectra", ...args, "--matrices", "layers.0.*q_proj");
  const record = list(list(json["sides"])[0]?.["matrices"])[0]?.[of];
  assert(isRecord(record));
  return numbersOf(record["sigma"]);
}

function close(actual: readonly number[], expected: readonly number[]): void {
  assert.equal(actual.length, expected.length);
  for (const [i, value] of actual.entries())
    assert(Math.abs(value - (expected[i] ?? NaN)) < 1e-5 * (expected[0] ?? 0));
}

describe("a base in bitsandbytes' NF4 or GPTQ's layout", () => {
  for (const [type, more] of [
    ["nf4", []],
    ["rtn", ["--bits", "4", "--group", "16", "--layout", "gptq"]],
  ] as const)
    it(`${type} is read as it expands, with adapters and beside its original`, async (t) => {
      const folder = makeWorkspace(t);
      const made = ["quantize", "model", "--type", type, ...more, "--out", "packed"];
      const quantized = await spectune(folder, ...made);
      assert.equal(quantized.code, 0, quantized.err);
      const W = await expanded(join(folder, "packed"));
      await writeAdapter(join(folder, "adapter"), { lora_alpha: 0.5 }, adapter);
      await writeModel(join(folder, "merged"), { [name]: plus(W, B, A, 0.25) });
      const one = ["--matrices", "layers.0.*q_proj"];
      const sigma = await sigmaOf(folder, "tuned", "packed", "--adapter", "adapter");
      close(sigma, await sigmaOf(folder, "base", "merged"));
      const { total } = await asked(folder, "intruders", "packed", "--tuned", "packed", ...one);
      assert.equal(total, 0);
      // The third question: does quantization alone make intruders?
      const alone = await asked(folder, "intruders", "model", "--tuned", "packed", ...one);
      assert.equal(list(alone["matrices"]).length, 1);
      close(
        await sigmaOf(folder, "tuned", "model", "--tuned", "packed"),
        await sigmaOf(folder, "base", "packed"),
      );
    });

  it("is merged to a model that is not quantized, where an adapter cannot hold the mitigation", async (t) => {
    const folder = makeWorkspace(t);
    const made = ["quantize", "model", "--type", "nf4", "--out", "packed"];
    assert.equal((await spectune(folder, ...made)).code, 0);
    const m = matrix(32, 1, 3);
    const dora = { ...adapter, [`${module}.lora_magnitude_vector.weight`]: m };
    await writeAdapter(join(folder, "dora"), { lora_alpha: 9, use_dora: true }, dora);
    const args = ["mitigate", "packed", "--adapter", "dora", "--keep", "0", "--out", "less"];
    const outcome = await spectune(folder, ...args, "--threshold", "0.9", "--json");
    assert.equal(outcome.code, 0, outcome.err);
    const config: unknown = JSON.parse(readFileSync(join(folder, "less/config.json"), "utf8"));
    assert(isRecord(config) && config["quantization_config"] === undefined);
    const { data } = await expanded(join(folder, "less"));
    assert(data.every(Number.isFinite));
  });
});

describe("a packed base that cannot be read", () => {
  it("is refused with the tensor and what to use instead", async (t) => {
    const folder = makeWorkspace(t);
    // Of AutoAWQ's layout, with floats where words must stand.
    await writeModel(join(folder, "awq"), {
      "model.layers.0.self_attn.q_proj.qweight": matrix(32, 4, 1),
      "model.layers.0.self_attn.q_proj.qzeros": matrix(1, 4, 2),
      "model.layers.0.self_attn.q_proj.scales": matrix(1, 32, 3),
    });
    const config = { quantization_config: { quant_method: "awq", bits: 4, group_size: 32 } };
    writeFileSync(join(folder, "awq", "config.json"), JSON.stringify(config));
    for (const command of ["spectra", "intruders"]) {
      const tuned = command === "spectra" ? [] : ["--tuned", "model"];
      const only = ["--matrices", "layers.0.self_attn.q_proj"];
      const outcome = await spectune(folder, command, "awq", ...tuned, ...only);
      assert.equal(outcome.code, 2);
      assert.match(
        outcome.err,
        /q_proj\.qzeros holds no words[^]*\[packed-weights\]\n[^]*model that they were/,
      );
    }
  });
});
