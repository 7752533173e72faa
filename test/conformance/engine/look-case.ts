/** @file What the spectral lab sees of a run: the matrices that its merged model holds, or a refusal with the reason. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { createLinalg } from "../../../kernels/linalg/index.ts";
import { heldChoice } from "../../../src/engine/lab/held-base.ts";
import { tunedMatrix } from "../../../src/engine/lab/merged-matrix.ts";
import { openModelFolder } from "../../../src/engine/lab/model-folder.ts";
import { isTableOrHead, plainName } from "../../../src/engine/lab/names.ts";
import { openSet } from "../../../src/engine/lab/open-sides.ts";
import type { SideChoice } from "../../../src/engine/lab/open-sides.ts";
import { readMatrix } from "../../../src/engine/lab/stored-matrix.ts";
import { kernelBytes } from "../../../src/engine/runtime/kernels.ts";
import { createFullMatch } from "../../../src/engine/session/python-regex.ts";
import { at, UserError } from "../../../src/shared/errors.ts";
import type { Experiment } from "../../../src/shared/experiment/fields/experiment-fields.ts";

const places = { base: "/", env: {}, home: "/" };

/** A run's result as a side: its last checkpoint. */
export function lastCheckpoint(checkpoints: string, experiment: Experiment): SideChoice {
  const folder = join(checkpoints, "step-4");
  return { kind: "checkpoint", folder, step: 4, of: checkpoints, experiment };
}

/**
 * Every matrix of the merged folder is W₀ and the update that the look has of it, tables of words too, and those that it
 * has no update of are the base's. How many updates there were.
 */
export async function looksAsMerged(
  side: SideChoice,
  { model, quantization }: Experiment,
  merged: string,
): Promise<number> {
  const open = (matrices: string | undefined) => openAt(model.id, side, quantization, matrices);
  const layers = await open(undefined).catch(reasonOf);
  const tables = await open("embed|lm_head").catch(reasonOf);
  const whole = await openModelFolder(merged, places);
  const base = await openModelFolder(model.id, places);
  const seen = new Set<string>();
  try {
    for (const set of [layers, tables]) {
      if (typeof set === "string") continue;
      for (const matrix of set.matrices) {
        const pair = await matrix.prepare();
        const { base: W0, update } = await pair.load();
        assert(update, matrix.name);
        const plain = plainName(matrix.name);
        const { W } = await readMatrix(
          at(
            [whole.matrices.get(plain)].flatMap((one) => one ?? []),
            0,
          ),
        );
        near(tunedMatrix(W0, update).data, W.data, matrix.name);
        seen.add(plain);
      }
      await set.close();
    }
    if (quantization === null)
      for (const [plain, stored] of whole.matrices) {
        const before = base.matrices.get(plain);
        if (seen.has(plain) || !before) continue;
        near((await readMatrix(before)).W.data, (await readMatrix(stored)).W.data, plain);
      }
  } finally {
    await whole.close();
    await base.close();
  }
  // What is refused says why.
  if (typeof layers === "string")
    assert.match(layers, /Of \w+ there is no update of a layer's matrix/u);
  assert([...seen].some((plain) => !isTableOrHead(plain)) === (typeof layers !== "string"));
  return seen.size;
}

/** What no weight can hold is refused by its name and the reason; other methods beside it are looked at. */
export async function looksApart(side: SideChoice, { model, quantization, method }: Experiment) {
  const set = await openAt(model.id, side, quantization, undefined).catch(reasonOf);
  const [first] = method;
  if (typeof set === "string") {
    assert.match(set, new RegExp(`Of ${first?.type} there is no update of a layer's matrix`, "u"));
    assert.equal(method.length, 1);
    return;
  }
  assert(set.findings.some(({ code }) => code === "no-matrix-update"));
  assert(
    set.matrices.every(({ module }) => /^[qv]_proj$/u.test(module)),
    "lora's matrices alone",
  );
  await set.close();
}

function openAt(
  base: string,
  side: SideChoice,
  quantization: Experiment["quantization"],
  matrices: string | undefined,
) {
  const tools = { fullMatch: createFullMatch(1000), linalg: createLinalg(kernelBytes("linalg")) };
  const held = heldChoice(quantization);
  const choice = { base, places, matrices, splitsFused: false, held } as const;
  return openSet({ ...choice, question: "dequantized-tuned" }, side, tools);
}

function reasonOf(error: unknown): string {
  assert(error instanceof UserError, String(error));
  assert(["no-matrix-update", "empty-selection"].includes(error.code), error.message);
  return error.message;
}

function near(actual: ArrayLike<number>, expected: ArrayLike<number>, name: string): void {
  assert.equal(actual.length, expected.length, name);
  let most = 0;
  for (let i = 0; i < actual.length; i++)
    most = Math.max(most, Math.abs((actual[i] ?? NaN) - (expected[i] ?? NaN)));
  assert(most <= 2e-6, `${name} is off by ${most}`);
}
