/** @file Every method of the catalog trains, is saved, goes on bit by bit where it was, and leaves as the model that it trained. */
import assert from "node:assert/strict";
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { catalogFields, initialisers, methods, sharings } from "../../../src/engine/catalog.ts";
import { formsOf } from "../../../src/engine/catalog-list.ts";
import { adapterFiles } from "../../../src/engine/exports/peft-adapter.ts";
import { exportAdapter, withoutLora } from "../../../src/engine/session/export-run.ts";
import { isRecord } from "../../../src/shared/wire.ts";
import { isPlaced } from "../../../src/engine/methods/placed.ts";
import type { ModelBatch } from "../../../src/engine/network/batch.ts";
import { logitsOf } from "../../../src/engine/network/inference.ts";
import { startRun } from "../../../src/engine/session/start-run.ts";
import { withAbsolutePaths } from "../../../src/engine/session/absolute-paths.ts";
import { machineFacts } from "../../../src/engine/session/machine-facts.ts";
import { openForInference } from "../../../src/engine/session/open-for-inference.ts";
import type { TrainedPart } from "../../../src/engine/session/open-for-inference.ts";
import { prepareRun } from "../../../src/engine/session/prepare-run.ts";
import type { LoadedRun } from "../../../src/engine/session/train-run.ts";
import { loadRun, trainStarted } from "../../../src/engine/session/train-run.ts";
import { at, invariant } from "../../../src/shared/errors.ts";
import type { Experiment } from "../../../src/shared/experiment/fields/experiment-fields.ts";
import { readExperiment } from "../../../src/shared/experiment/normalise.ts";
import type { RunSummary } from "../../../src/shared/protocol.ts";
import { makeWorkspace } from "../../support/workspace.ts";
import { smallMethod } from "./small-method.ts";
import { lastCheckpoint, looksApart, looksAsMerged } from "./look-case.ts";
import { isFolder } from "../../../src/engine/weights/on-disk.ts";

type Fields = Readonly<Record<string, unknown>>;

interface Case {
  readonly title: string;
  readonly method: Fields | readonly Fields[];
  readonly quantization?: Fields;
  /** Why the model is not the base's at step 0. */
  readonly changes?: string | undefined;
  /** Whether nothing but merged weights can hold it. */
  readonly merges?: boolean;
  /** Whether no weight can hold it. */
  readonly apart?: boolean;
  /** The forms that the catalog promises of it, the best first. */
  readonly forms?: readonly string[] | undefined;
}

const nf4 = { type: "nf4" };

const cases: readonly Case[] = [
  ...methods.flatMap((row): readonly Case[] => {
    const apart = isPlaced(row) && row.staysApart !== undefined;
    const merges =
      row.kind === "tensors"
        ? row.peft === undefined
        : row.kind === "linear" && row.mergesOnly !== undefined;
    const changes = row.kind === "tensors" ? undefined : row.changesAtStart;
    const one = { method: smallMethod(row.name), changes, merges, apart };
    const quantized = { title: `${row.name} on NF4`, ...one, quantization: nf4 };
    const forms = formsOf(row);
    const isBase = row.kind === "tensors" && row.noQuantizedBase !== undefined;
    return [{ title: row.name, ...one, forms }, ...(isBase ? [] : [quantized])];
  }),
  { title: "lora on rtn", method: smallMethod("lora"), quantization: { type: "rtn" } },
  // peft has magnitudes at all modules of an adapter, or at none.
  {
    title: "dora beside lora",
    method: [
      { ...smallMethod("dora"), target_modules: ["q_proj"] },
      { ...smallMethod("lora"), target_modules: ["v_proj"] },
    ],
    merges: true,
  },
  // The attention's pairs of the paper, and a prompt before an adapted model.
  ...["mixlora", "prompt_tuning"].map((type) => ({
    title: `${type} beside lora`,
    method: [smallMethod(type), { ...smallMethod("lora"), target_modules: ["q_proj", "v_proj"] }],
    changes: methods.flatMap((row) =>
      row.name === type && row.kind !== "tensors" ? (row.changesAtStart ?? []) : [],
    )[0],
    apart: true,
  })),
  ...initialisers.flatMap((row): readonly Case[] => {
    const changes = row.changesAtStart;
    const started = (type: string): Fields => ({ ...smallMethod(type), init: row.name });
    const types = row.takesCore ? ["lora_xs"] : ["lora", "dora"];
    return types.flatMap((type) => {
      const one = { method: started(type), changes };
      return [
        { title: `${type} with ${row.name}`, ...one },
        { title: `${type} with ${row.name} on NF4`, ...one, quantization: nf4 },
      ];
    });
  }),
  ...sharings.map((row) => ({
    title: `lora with ${row.name}`,
    method: { ...smallMethod("lora"), sharing: row.name },
  })),
];

/** Losses before the first step. */
const baseLosses = new Map<string, number>();

describe("a run of", () => {
  for (const one of cases)
    it(one.title, async (t) => {
      const folder = makeWorkspace(t);
      const experiment = readCase(folder, one);
      const first = await run(experiment, join(folder, "first"), undefined);
      const { evalBefore, evalAfter } = first.summary;
      assert(evalBefore && evalAfter);
      assert(evalAfter.loss < evalBefore.loss, `${evalBefore.loss} became ${evalAfter.loss}`);
      const parted = hasTaken(first.checkpoints);
      // All that start as the base start alike; a quantized rest is not the quantized whole.
      const key = JSON.stringify(one.quantization ?? "plain");
      if (one.changes === undefined && !(parted && one.quantization)) {
        const base = baseLosses.get(key) ?? evalBefore.loss;
        baseLosses.set(key, base);
        assert(Math.abs(evalBefore.loss - base) < 1e-5, `${evalBefore.loss} is not ${base}`);
      }

      await goesOn(experiment, folder, first.checkpoints);

      const batch = at(first.loaded.data.batchesOf(1).batches, 0);
      const trained = await logitsOf(first.loaded.context, batch);
      const merged = join(folder, "first", "merged");
      assert.equal(existsSync(merged), one.apart !== true);
      // What is quantized was trained as such: merged weights stand for it.
      if (one.apart !== true)
        near(trained, await logits(merged, { kind: "none" }, null, batch), 2e-4);
      const side = lastCheckpoint(first.checkpoints, experiment);
      if (one.apart === true) await looksApart(side, experiment);
      else await looksAsMerged(side, experiment, merged);
      const adapter = join(folder, "first", "adapter");
      assert.equal(existsSync(adapter), one.merges !== true);
      const readable = one.apart === true || existsSync(adapter);
      if (existsSync(adapter) && !one.quantization) {
        const folder = { kind: "adapter", folder: adapter } as const;
        if (one.apart === true) await looksApart(folder, experiment);
        else await looksAsMerged(folder, experiment, merged);
      }
      // The rest of a quantized weight without its part cannot be told by an adapter of the original.
      if (readable && !(parted && one.quantization)) {
        const model = experiment.model.id;
        const part = { kind: "adapter", folder: adapter } as const;
        near(trained, await logits(model, part, experiment.quantization, batch), 2e-4);
      }
      if (one.forms) await leavesAs(one.forms, experiment, adapter, { trained, batch });
    });
});

/** The first form is that of the adapter, where there is one; a plain LoRA, where it is promised, says the same. */
async function leavesAs(
  forms: readonly string[],
  { method, model: { id } }: Experiment,
  adapter: string,
  { trained, batch }: { readonly trained: Float32Array; readonly batch: ModelBatch },
): Promise<void> {
  const [best] = forms;
  assert.equal(existsSync(adapter), best !== "merged");
  if (!existsSync(adapter)) return;
  const isOwn = !existsSync(join(adapter, adapterFiles.config));
  assert.equal(isOwn, best === "own");
  if (isOwn) return;
  const { peft_type: type, use_dora: directed } = adapterConfig(adapter);
  const native = `peft:${String(type)}${directed === true ? " (use_dora)" : ""}`;
  const pair = best?.startsWith("lora") === true;
  assert.equal(native, pair ? "peft:LORA" : best);
  const plain = forms.find((form) => form === "lora" || form === "lora-2r");
  const why = withoutLora(method);
  // peft's LoRA is plain as it is.
  assert.equal(why === undefined, plain !== undefined || best === "peft:LORA", why);
  if (why !== undefined) return;
  const folder = `${adapter}-plain`;
  const own = { kind: "adapter", folder: adapter } as const;
  await logits(id, own, null, batch, folder);
  const { peft_type: plainType, r } = adapterConfig(folder);
  assert.equal(plainType, "LORA");
  if (plain === "lora-2r") assert.equal(r, 2 * Number(smallMethod(at(method, 0).type)["r"]));
  near(trained, await logits(id, { kind: "adapter", folder }, null, batch), 2e-4);
}

function adapterConfig(folder: string): Fields {
  const value: unknown = JSON.parse(readFileSync(join(folder, adapterFiles.config), "utf8"));
  assert(isRecord(value));
  return value;
}

function readCase(folder: string, { method, quantization, apart = false }: Case): Experiment {
  const text = JSON.stringify({
    version: 1,
    model: "./model",
    data: { train: "./train.jsonl", eval: "./eval.jsonl", max_length: 64 },
    method,
    train: { max_steps: 4, batch_size: 8, learning_rate: 0.01, lr_scheduler_type: "constant" },
    eval: { every: "end" },
    checkpoints: { every: 2, keep: 5 },
    export: apart ? [] : ["merged"],
    run: { threads: 1, report_to: [] },
    ...(quantization ? { quantization } : {}),
  });
  const { experiment, findings } = readExperiment({
    file: "a.peft.yaml",
    text,
    catalog: catalogFields,
  });
  invariant(experiment, JSON.stringify(findings));
  return withAbsolutePaths(experiment, folder, isFolder);
}

interface Ran {
  readonly summary: RunSummary;
  readonly loaded: LoadedRun;
  readonly checkpoints: string;
}

async function run(
  experiment: Experiment,
  runFolder: string,
  checkpoint: string | undefined,
): Promise<Ran> {
  mkdirSync(runFolder, { recursive: true });
  const emit = (): void => undefined;
  const prepared = await prepareRun(experiment, { emit, facts: machineFacts(), now: new Date(0) });
  const host = {
    runFolder,
    checkpoint,
    emit,
    approve: () => Promise.resolve(),
    requested: () => undefined,
  };
  const loaded = await startRun(await loadRun(prepared, emit, () => undefined), host);
  const summary = await trainStarted(loaded, host);
  return { summary, loaded, checkpoints: join(runFolder, "checkpoints") };
}

/** From the checkpoint of step 2 to the bytes of step 4. */
async function goesOn(experiment: Experiment, folder: string, checkpoints: string): Promise<void> {
  const again = join(folder, "again");
  const copied = join(again, "checkpoints", "step-2");
  cpSync(join(checkpoints, "step-2"), copied, { recursive: true });
  const second = await run(experiment, again, copied);
  const last = join(checkpoints, "step-4");
  for (const name of readdirSync(last).filter((file) => file.endsWith(".safetensors")))
    assert(
      readFileSync(join(last, name)).equals(readFileSync(join(second.checkpoints, "step-4", name))),
      `${name} is another after a resume`,
    );
}

async function logits(
  model: string,
  trained: TrainedPart,
  quantization: Experiment["quantization"],
  batch: ModelBatch,
  /** Where to write it as a plain LoRA. */
  plainTo?: string,
): Promise<Float32Array> {
  const device = { device: "cpu", threads: 1 } as const;
  const open = await openForInference(
    { reference: { id: model }, task: "causal-lm", trained, quantization, device },
    { base: "/", env: {}, home: "/" },
    () => undefined,
  );
  try {
    if (plainTo !== undefined)
      await exportAdapter(open.method, open.trained, plainTo, { plain: true });
    return await logitsOf(open.context, batch);
  } finally {
    await open.close();
  }
}

/** Whether a run took pairs off the base. */
function hasTaken(checkpoints: string): boolean {
  const file = join(checkpoints, "step-4", "factors.safetensors");
  return existsSync(file) && readFileSync(file, "latin1").includes("#base.A");
}

function near(actual: Float32Array, expected: Float32Array, tolerance: number): void {
  assert.equal(actual.length, expected.length);
  const error = actual.reduce((most, x, i) => Math.max(most, Math.abs(x - at(expected, i))), 0);
  assert(error <= tolerance, `logits are off by ${error}`);
}
