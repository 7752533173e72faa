/** @file Budgets of bits over a model: kept, better than any one choice for all matrices, and refused where nothing fits. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { lqLora } from "../../src/engine/quantizers/lq-lora.ts";
import { openWeights } from "../../src/engine/weights/weight-source.ts";
import { isRecord } from "../../src/shared/wire.ts";
import { defaultsOf } from "../conformance/engine/quantizer-case.ts";
import { lastLine, spectune } from "../support/command-line.ts";
import { calibrated, quantizedTo } from "../support/quantize.ts";
import { makeWorkspace } from "../support/workspace.ts";

const [budget, rank] = [5, 1];

describe("a budget", () => {
  it("of LQ-LoRA is kept, and errs less than the best choice for all matrices that fits it", async (t) => {
    const folder = makeWorkspace(t);
    const made = await byBudget(folder, "lq_lora", `rank=${rank}`, `budget=${budget}`);
    assert.ok(made.bits <= budget && made.bits > budget - 0.5, String(made.bits));
    assert.ok(new Set(Object.values(made.allocation).map((of) => JSON.stringify(of))).size > 1);
    const own = await squaredError(folder, "q");
    let least = Infinity;
    for (const bits of [2, 3, 4])
      for (const group of [16, 32, 64]) {
        const fields = { bits, group, rank };
        if ((await bitsOf(folder, fields)) > budget) continue;
        const sets = Object.entries(fields).flatMap(([name, value]) => ["--set", `quantization.${name}=${value}`]); // prettier-ignore
        await quantizedTo(folder, `u${bits}-${group}`, "lq_lora", ...sets, "--layout", "spectune");
        least = Math.min(least, await squaredError(folder, `u${bits}-${group}`));
      }
    assert.ok(least < Infinity && own < least, `${own} against ${least}`);
  });

  it("of LQ-LoRA follows the squared gradients where it is told to", async (t) => {
    const folder = makeWorkspace(t);
    const sets = [`rank=${rank}`, `budget=${budget}`];
    const plain = await byBudget(folder, "lq_lora", ...sets);
    const fisher = await byBudget(folder, "lq_lora", ...sets, "fisher=true");
    assert.ok(fisher.bits <= budget);
    assert.notDeepEqual(fisher.allocation, plain.allocation);
  });

  it("of BitStack is kept for any number of bits, each model a part of the larger", async (t) => {
    const folder = makeWorkspace(t);
    let before: Readonly<Record<string, number>> = {};
    for (const bits of [4, 4.7, 9]) {
      const made = await byBudget(folder, "bitstack", "rank=1", "parts=6", `budget=${bits}`);
      assert.ok(made.bits <= bits, `${made.bits} of ${bits}`);
      const parts = Object.fromEntries(
        Object.entries(made.allocation).map(([module, of]) => [
          module,
          isRecord(of) ? Number(of["parts"]) : NaN,
        ]),
      );
      const counts = Object.values(parts);
      assert.ok(Math.max(...counts) - Math.min(...counts) <= 1);
      for (const [module, count] of Object.entries(before))
        assert.ok((parts[module] ?? 0) >= count);
      before = parts;
    }
  });

  it("that nothing fits is refused with the least that does", async (t) => {
    const folder = makeWorkspace(t);
    const outcome = await spectune(
      folder,
      ...["quantize", "model", "--type", "lq_lora", "--out", "q"],
      ...["--set", "quantization.budget=1.5"],
    );
    assert.notEqual(outcome.code, 0);
    assert.match(outcome.err, /1\.5 bits a weight; the smallest takes \d+\.\d+/);
    assert.ok(!existsSync(join(folder, "q")));
  });
});

/** Makes `q` anew. */
async function byBudget(folder: string, type: string, ...fields: readonly string[]) {
  const out = existsSync(join(folder, "q")) ? `q-${fields.join("-")}` : "q";
  const outcome = await spectune(
    folder,
    ...["quantize", "model", "--type", type, "--out", out, "--json", ...calibrated],
    ...["--layout", "spectune", ...fields.flatMap((field) => ["--set", `quantization.${field}`])],
  );
  assert.equal(outcome.code, 0, outcome.err);
  const record: unknown = JSON.parse(
    readFileSync(join(folder, out, "spectune_quantization.json"), "utf8"),
  );
  assert.ok(isRecord(record) && isRecord(record["allocation"]));
  return { bits: bitsIn(lastLine(outcome)["layers"]), allocation: record["allocation"] };
}

/** Of the arrays of matrices; descriptions in the file weigh much beside matrices this small. */
function bitsIn(layers: unknown): number {
  assert.ok(Array.isArray(layers));
  const matrices = layers.flatMap((layer: unknown): readonly unknown[] => {
    assert.ok(isRecord(layer) && Array.isArray(layer["matrices"]));
    return layer["matrices"];
  });
  let [bits, weights] = [0, 0];
  for (const matrix of matrices) {
    assert.ok(isRecord(matrix));
    bits += 8 * Number(matrix["bytes"]);
    weights += Number(matrix["rows"]) * Number(matrix["columns"]);
  }
  return bits / weights;
}

/** Σ (w − ŵ)² over the matrices of the layers. */
async function squaredError(folder: string, model: string): Promise<number> {
  let sum = 0;
  await eachMatrix(folder, async (name, read) => {
    const [float, made] = [await read("model"), await read(model)];
    assert.equal(float.length, made.length, name);
    for (const [i, w] of float.entries()) sum += (w - (made[i] ?? NaN)) ** 2;
  });
  return sum;
}

async function bitsOf(folder: string, fields: object): Promise<number> {
  const bound = lqLora.bind({ ...defaultsOf(lqLora), ...fields });
  let [bits, weights] = [0, 0];
  await eachMatrix(folder, (_, __, { rows, columns }) => {
    bits += 8 * bound.storedBytes({ rows, columns });
    weights += rows * columns;
    return Promise.resolve();
  });
  return bits / weights;
}

async function eachMatrix(
  folder: string,
  visit: (
    name: string,
    read: (model: string) => Promise<Float32Array>,
    shape: { readonly rows: number; readonly columns: number },
  ) => Promise<void>,
): Promise<void> {
  const float = await openWeights(join(folder, "model"));
  for (const { name, shape } of float.tensors.values()) {
    const [rows = 0, columns = 0] = shape;
    if (!name.endsWith("_proj.weight")) continue;
    const read = async (model: string): Promise<Float32Array> => {
      const source = await openWeights(join(folder, model));
      const bytes = await source.read(name);
      await source.close();
      return new Float32Array(bytes.slice().buffer);
    };
    await visit(name, read, { rows, columns });
  }
  await float.close();
}
