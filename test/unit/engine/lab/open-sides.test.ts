/** @file Bases with adapters, tuned folders and refusals, matrix by matrix. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { Data, Matrix } from "../../../../kernels/linalg/index.ts";
import { createLinalg } from "../../../../kernels/linalg/index.ts";
import { tunedMatrix } from "../../../../src/engine/lab/merged-matrix.ts";
import type { SetChoice, SideChoice } from "../../../../src/engine/lab/open-sides.ts";
import { openSet } from "../../../../src/engine/lab/open-sides.ts";
import { kernelBytes } from "../../../../src/engine/runtime/kernels.ts";
import { createFullMatch } from "../../../../src/engine/session/python-regex.ts";
import { matrix, writeAdapter, writeModel } from "./folders.ts";

const linalg = createLinalg(kernelBytes("linalg"));
const tools = { fullMatch: createFullMatch(1000), linalg };
const q = "model.layers.0.self_attn.q_proj.weight";
const v = "model.layers.0.self_attn.v_proj.weight";
const W = {
  [q]: matrix(6, 4, 1),
  [v]: matrix(4, 4, 2),
  "model.embed_tokens.weight": matrix(9, 4, 3),
};
const module = "base_model.model.model.layers.0.self_attn.q_proj";
const [A, B] = [matrix(2, 4, 4), matrix(6, 2, 5)];
const lora = { [`${module}.lora_A.weight`]: A, [`${module}.lora_B.weight`]: B };
let root = "";

before(async () => {
  root = await mkdtemp(join(tmpdir(), "lab-"));
  await writeModel(join(root, "base"), W);
});
after(() => rm(root, { recursive: true, force: true }));

function choice(more: Partial<SetChoice> = {}): SetChoice {
  return {
    base: join(root, "base"),
    places: { base: root, env: {}, home: root },
    matrices: undefined,
    splitsFused: false,
    held: undefined,
    question: "dequantized-tuned",
    ...more,
  };
}

/** Name and tuned matrix of each pair. */
async function tunedOf(side: SideChoice, more: Partial<SetChoice> = {}) {
  const set = await openSet(choice(more), side, tools);
  try {
    const made: (readonly [string, Matrix])[] = [];
    for (const one of set.matrices) {
      const { base, update } = await (await one.prepare()).load();
      assert.ok(update);
      made.push([one.name, tunedMatrix(base, update)]);
    }
    return { made, findings: set.findings };
  } finally {
    await set.close();
  }
}

function plus(base: Matrix<Data>, b: Matrix<Data>, a: Matrix<Data>, scale: number): number[] {
  return Array.from({ length: base.data.length }, (_, i) => {
    const [row, column] = [Math.floor(i / base.columns), i % base.columns];
    let sum = base.data[i] ?? NaN;
    for (let k = 0; k < a.rows; k++)
      sum += scale * (b.data[row * a.rows + k] ?? NaN) * (a.data[k * a.columns + column] ?? NaN);
    return sum;
  });
}

function close(actual: ArrayLike<number>, expected: ArrayLike<number>): void {
  assert.equal(actual.length, expected.length);
  for (let i = 0; i < expected.length; i++)
    assert.ok(Math.abs((actual[i] ?? NaN) - (expected[i] ?? NaN)) < 1e-6, `element ${i}`);
}

const refused = (code: string, words: RegExp) => (error: unknown) =>
  error instanceof Error && "code" in error && error.code === code && words.test(error.message);

describe("sources", () => {
  it("put an adapter together: alpha_pattern, rsLoRA and DoRA", async () => {
    const plain = await writeAdapter(join(root, "plain"), {}, lora);
    const { made } = await tunedOf({ kind: "adapter", folder: plain });
    assert.deepEqual(
      made.map(([name]) => name),
      [q],
    );
    close(made[0]?.[1].data ?? [], plus(W[q], B, A, 2));

    const patterned = { alpha_pattern: { "layers.0.self_attn.q_proj": 6 }, use_rslora: true };
    const rs = await writeAdapter(join(root, "rs"), patterned, lora);
    close(
      (await tunedOf({ kind: "adapter", folder: rs })).made[0]?.[1].data ?? [],
      plus(W[q], B, A, 6 / Math.SQRT2),
    );

    const m = matrix(6, 1, 6);
    const dora = await writeAdapter(
      join(root, "dora"),
      { use_dora: true },
      { ...lora, [`${module}.lora_magnitude_vector.weight`]: m },
    );
    const sum = plus(W[q], B, A, 2);
    const expected = sum.map((value, i) => {
      const row = sum.slice(4 * Math.floor(i / 4), 4 * Math.floor(i / 4) + 4);
      return ((m.data[Math.floor(i / 4)] ?? NaN) * value) / Math.hypot(...row);
    });
    close((await tunedOf({ kind: "adapter", folder: dora })).made[0]?.[1].data ?? [], expected);
  });

  it("take what PiSSA and OLoRA took off the base off again", async () => {
    const pissa = await writeAdapter(join(root, "pissa"), { init_lora_weights: "pissa" }, lora);
    const { U, sigma, Vt } = await linalg.svd(W[q]);
    const top = {
      rows: 2,
      columns: 4,
      data: Float64Array.from(Vt.data.slice(0, 8), (x, i) => x * (sigma[Math.floor(i / 4)] ?? NaN)),
    };
    const left = {
      rows: 6,
      columns: 2,
      data: Float64Array.from(
        { length: 12 },
        (_, i) => U.data[Math.floor(i / 2) * U.columns + (i % 2)] ?? NaN,
      ),
    };
    const rest = { ...W[q], data: Float64Array.from(plus(W[q], left, top, -1)) };
    const { made, findings } = await tunedOf({ kind: "adapter", folder: pissa });
    close(made[0]?.[1].data ?? [], plus(rest, B, A, 2));
    assert.ok(findings.some(({ code }) => code === "residual-base"));
    const corda = await writeAdapter(join(root, "corda"), { init_lora_weights: "corda" }, lora);
    await assert.rejects(
      tunedOf({ kind: "adapter", folder: corda }),
      refused("residual-base", /corda/),
    );
  });

  it("refuse an adapter of another base, and say by what it was noticed", async () => {
    const wide = { ...lora, [`${module}.lora_A.weight`]: matrix(2, 5, 1) };
    const shape = await writeAdapter(join(root, "shape"), {}, wide);
    await assert.rejects(
      tunedOf({ kind: "adapter", folder: shape }),
      refused("adapter-of-another-base", /by the shape of/),
    );
    const other = Object.fromEntries(
      Object.entries(lora).map(([name, t]) => [name.replace("layers.0", "layers.7"), t]),
    );
    const names = await writeAdapter(join(root, "names"), {}, other);
    await assert.rejects(
      tunedOf({ kind: "adapter", folder: names }),
      refused("adapter-of-another-base", /noticed by names/),
    );
  });

  it("refuse missing tensors, other shapes and empty selections by name", async () => {
    const lacking = await writeModel(join(root, "lacking"), { [q]: W[q] });
    await assert.rejects(
      tunedOf({ kind: "model", id: lacking }),
      refused("missing-tensors", /v_proj/),
    );
    const other = await writeModel(join(root, "other"), { ...W, [v]: matrix(4, 3, 2) });
    await assert.rejects(
      tunedOf({ kind: "model", id: other }),
      refused("different-shapes", /v_proj.*\[4, 4\].*\[4, 3\]/),
    );
    const same = { kind: "model", id: join(root, "base") } as const;
    await assert.rejects(
      tunedOf(same, { matrices: "nothing" }),
      refused("empty-selection", /nothing/),
    );
    assert.equal((await tunedOf(same, { matrices: "embed" })).made.length, 1);
  });

  it("turn Conv1D round and take fused projections apart", async () => {
    const fused = "transformer.h.0.attn.c_attn.weight";
    const stored = matrix(4, 12, 9);
    const base = await writeModel(join(root, "gpt2"), { [fused]: stored }, { model_type: "gpt2" });
    const headless = await writeModel(join(root, "gpt2-inner"), {
      "h.0.attn.c_attn.weight": stored,
    });
    const { made } = await tunedOf({ kind: "model", id: headless }, { base, splitsFused: true });
    assert.deepEqual(
      made.map(([name]) => name),
      ["q", "k", "v"].map((part) => `${fused}[${part}]`),
    );
    // Row r of the keys is column 4 + r of what is stored.
    const keys = made[1]?.[1];
    assert.deepEqual([keys?.rows, keys?.columns], [4, 4]);
    for (const i of [0, 1, 2, 3]) assert.equal(keys?.data[i], stored.data[i * 12 + 4]);
  });

  it("answer the three questions of a quantized base", async () => {
    const plain = await writeAdapter(join(root, "held"), {}, lora);
    const side = { kind: "adapter", folder: plain } as const;
    const held = { type: "nf4", config: { block_size: 64, double_quant: false } };
    const of = async (question: SetChoice["question"]) =>
      (await tunedOf(side, { held, question })).made[0]?.[1].data ?? [];
    const [tuned, both, alone] = [
      await of("dequantized-tuned"),
      await of("original-tuned"),
      await of("original-dequantized"),
    ];
    close(tuned, both);
    const shifted = { ...W[q], data: Float64Array.from(alone) };
    close(tuned, plus(shifted, B, A, 2));
    assert.ok(Math.max(...Array.from(alone, (x, i) => Math.abs(x - (W[q].data[i] ?? NaN)))) > 1e-3);
  });
});
