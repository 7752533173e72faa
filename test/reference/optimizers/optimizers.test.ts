/** @file Five steps of update rules against PyTorch in float64 (`record.py`). */
import { lazyLinalg } from "../../../src/engine/runtime/linalg.ts";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { optimizers } from "../../../src/engine/catalog.ts";
import { createOptimizer } from "../../../src/engine/network/optimizer.ts";
import { createParameters } from "../../../src/engine/network/parameters.ts";
import type {
  Parameter,
  Parameters,
  ParameterSpec,
} from "../../../src/engine/network/parameters.ts";
import { createProgramCache } from "../../../src/engine/network/program-cache.ts";
import { createOrtBackend } from "../../../src/engine/runtime/ort.ts";
import { parseFields } from "../../../src/shared/experiment/parse-fields.ts";
import { isRecord } from "../../../src/shared/wire.ts";

const recorded: unknown = JSON.parse(
  readFileSync(join(import.meta.dirname, "recorded.json"), "utf8"),
);
const backend = await createOrtBackend({ device: "cpu", threads: 1 });

/** Five steps of sizes up to 0.16 from weights of size 1, in float32. */
const tolerance = 2e-5;

const value = (i: number, seed: number): number => Math.sin(1.7 * i + seed) * 0.5;
const slope = (t: number, i: number): number => Math.cos(0.9 * i + 1.3 * t + 2);

async function steps(
  name: string,
  fields: Readonly<Record<string, unknown>>,
  specs: readonly ParameterSpec[],
  fill: (parameters: Parameters, t: number) => void,
): Promise<Parameters> {
  const row = optimizers.find((rule) => rule.name === name);
  assert(row);
  const rule = row.bind({ ...parseFields(row.config, {}).value, ...fields });
  const parameters = createParameters(specs, rule);
  for (const { name: tensor, weight } of parameters.all.values())
    if (tensor !== "B") weight.forEach((_, i) => (weight[i] = value(i, 1)));
  const optimizer = createOptimizer(backend, createProgramCache(backend), parameters, rule, {
    linalg: lazyLinalg(),
  });
  for (let t = 1; t <= 5; t++) {
    fill(parameters, t);
    await optimizer.step({ t, lr: 1e-2, gradientScale: 1 });
  }
  return parameters;
}

function assertRecorded(name: string, { weight }: Parameter): void {
  assert(isRecord(recorded));
  const expected = recorded[name];
  assert(Array.isArray(expected) && expected.length === weight.length, name);
  weight.forEach((w, i) => {
    const gap = Math.abs(w - Number(expected[i]));
    assert(gap < tolerance, `${name}[${i}]: ${w} instead of ${expected[i]}`);
  });
}

const linear = (shape: readonly number[], more: Partial<ParameterSpec> = {}): ParameterSpec => ({
  ...{ name: "w", shape, decays: true, kind: "linear" },
  ...more,
});

describe("against PyTorch", () => {
  const plain = (parameters: Parameters, t: number): void => {
    for (const { gradient } of parameters.all.values())
      gradient.forEach((_, i) => (gradient[i] = slope(t, i)));
  };
  const rough = (parameters: Parameters, t: number): void => {
    const { gradient } = parameters.get("w");
    gradient.forEach((_, i) => (gradient[i] = slope(t, i) + 0.3 * value(i, t)));
  };

  it("adam_mini", async () => {
    const rows = await steps("adam_mini", {}, [linear([6, 4])], plain);
    assertRecorded("adam_mini rows", rows.get("w"));
    const heads = await steps("adam_mini", {}, [linear([6, 4], { headRows: 3 })], plain);
    assertRecorded("adam_mini heads", heads.get("w"));
  });

  for (const name of ["galore", "fira"])
    it(name, async () => {
      const fields = { rank: 2, update_proj_gap: 3 };
      const tall = await steps(name, fields, [linear([6, 4])], rough);
      assertRecorded(`${name} tall`, tall.get("w"));
      const wide = await steps(name, fields, [linear([4, 6])], rough);
      assertRecorded(`${name} wide`, wide.get("w"));
    });

  const pair = (role: "A" | "B", shape: readonly number[]): ParameterSpec => ({
    ...{ name: role, shape, decays: true, kind: "factor" },
    pair: { site: "site", role, scale: 2, shape: [5, 4] },
  });

  it("lora_plus", async () => {
    const specs = [pair("A", [3, 4]), { ...pair("B", [3, 4]), name: "other" }];
    const parameters = await steps("lora_plus", {}, specs, plain);
    assertRecorded("lora_plus A", parameters.get("A"));
    assertRecorded("lora_plus B", parameters.get("other"));
  });

  it("lora_pro", async () => {
    const parameters = await steps(
      "lora_pro",
      { mode: "efficient" },
      [pair("A", [2, 4]), pair("B", [5, 2])],
      (factors, t) => {
        const [A, B] = [factors.get("A"), factors.get("B")];
        A.gradient.fill(0);
        B.gradient.fill(0);
        for (let row = 0; row < 5; row++)
          for (let column = 0; column < 4; column++)
            for (let k = 0; k < 2; k++) {
              const g = 2 * slope(t, row * 4 + column);
              const [a, b] = [k * 4 + column, row * 2 + k];
              A.gradient[a] = (A.gradient[a] ?? 0) + g * (B.weight[b] ?? 0);
              B.gradient[b] = (B.gradient[b] ?? 0) + g * (A.weight[a] ?? 0);
            }
      },
    );
    assertRecorded("lora_pro A", parameters.get("A"));
    assertRecorded("lora_pro B", parameters.get("B"));
  });
});
