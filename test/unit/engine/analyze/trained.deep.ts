/**
 * @file Verdicts against the official procedure on matrices that were trained: LoRA and full fine-tuning on the sample,
 * and adapters that `SPECTUNE_TRAINED` names (the base's folder and theirs, with `:` between).
 */
import assert from "node:assert/strict";
import { cpSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { TestContext } from "node:test";
import { intruderDefaults } from "../../../../src/engine/analyze/finding.ts";
import { intruders } from "../../../../src/engine/analyze/intruders.ts";
import { inFloat64 } from "../../../../src/engine/analyze/products.ts";
import { tunedMatrix } from "../../../../src/engine/lab/merged-matrix.ts";
import type { SideChoice } from "../../../../src/engine/lab/open-sides.ts";
import { openSet } from "../../../../src/engine/lab/open-sides.ts";
import { createFullMatch } from "../../../../src/engine/session/python-regex.ts";
import { at } from "../../../../src/shared/errors.ts";
import { runsOf, spectune } from "../../../support/command-line.ts";
import { makeLinalg } from "../../kernels/linalg/matrices.ts";
import { scratch } from "../runs/scratch.ts";
import { official } from "./families.ts";

const sample = join(import.meta.dirname, "../../../../media/sample");
const [namedBase, ...named] = (process.env["SPECTUNE_TRAINED"] ?? "").split(":");

describe("verdicts on trained matrices", () => {
  it("equal the official procedure: LoRA on the sample, at a large learning rate", async (t) => {
    const set = ["train.learning_rate=6.8e-3", "method.r=8"];
    const run = await trained(t, "lora.peft.yaml", set);
    await compare(t, join(sample, "base"), { kind: "adapter", folder: join(run, "adapter") });
  });

  it("equal the official procedure: full fine-tuning on the sample", async (t) => {
    const run = await trained(t, "full.peft.yaml", []);
    await compare(t, join(sample, "base"), { kind: "model", id: join(run, "merged") });
  });

  for (const folder of named)
    it(`equal the official procedure: ${folder}`, async (t) => {
      await compare(t, namedBase ?? "", { kind: "adapter", folder });
    });
});

/** The run's folder. Nothing is measured but the loss, and two thirds of an epoch suffice. */
async function trained(t: TestContext, file: string, set: readonly string[]): Promise<string> {
  const folder = scratch(t);
  mkdirSync(join(folder, ".git"));
  cpSync(sample, join(folder, "sample"), { recursive: true });
  const short = ["train.max_steps=120", "eval.metrics=[loss]", "data.test=null"];
  const options = [...short, "eval.forgetting=null", ...set].flatMap((one) => ["--set", one]);
  const outcome = await spectune(folder, "run", `sample/${file}`, ...options);
  assert.equal(outcome.code, 0, outcome.err);
  return at(runsOf(folder), 0);
}

async function compare(t: TestContext, base: string, side: SideChoice): Promise<void> {
  const linalg = await makeLinalg();
  const choice = {
    base,
    places: { base: "/", env: {}, home: "/" },
    matrices: undefined,
    splitsFused: false,
    held: undefined,
    question: "dequantized-tuned",
  } as const;
  const set = await openSet(choice, side, { fullMatch: createFullMatch(1000), linalg });
  t.after(() => set.close());
  const seen = new Map<string, number>();
  const count = (what: string) => seen.set(what, (seen.get(what) ?? 0) + 1);
  for (const matrix of set.matrices) {
    count("matrices");
    const pair = await matrix.prepare();
    const { base: W0, update } = await pair.load();
    assert.ok(update);
    const numbers = await official(linalg, inFloat64(W0), tunedMatrix(W0, update), 10);
    const options = { ...intruderDefaults, exactBelow: 0 };
    const record = await intruders({ tools: { linalg }, now: () => 0 }, pair, options);
    for (const [j, { by, proof, intruder, lower, upper }] of record.vectors.entries()) {
      const number = at(numbers, j);
      const where = `${pair.name}, vector ${j}: official ${number}, ${by} [${lower}, ${upper}]`;
      count(proof.kind);
      count(`by ${by}`);
      if (by === "basis-dependent" || Math.abs(number - options.epsilon) < 1e-3) continue;
      assert.equal(intruder, number < options.epsilon, where);
      assert.ok(lower <= number + 1e-3 && number <= upper + 1e-3, where);
    }
  }
  t.diagnostic(JSON.stringify(Object.fromEntries(seen)));
}
