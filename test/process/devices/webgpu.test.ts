/** @file The same experiment on WebGPU and on the CPU: losses, measurements and the adapter agree. */
import assert from "node:assert/strict";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { eventsFile, loadEvents } from "../../../src/engine/runs/events-log.ts";
import type { Metrics } from "../../../src/shared/protocol.ts";
import { writeSafetensors } from "../../../src/engine/weights/write-safetensors.ts";
import { openWeights } from "../../../src/engine/weights/weight-source.ts";
import { at } from "../../../src/shared/errors.ts";
import { lastLine, spectune } from "../../support/command-line.ts";
import type { Outcome } from "../../support/command-line.ts";
import { makeWorkspace, tinyExperiment, tinyRows } from "../../support/workspace.ts";
import type { VulkanSpectune } from "./vulkan-process.ts";
import { nodeWithVulkan, startVulkanSpectune, withoutVulkan } from "./vulkan-process.ts";

interface Variant {
  readonly experiment: string;
  /** What differs from the tiny workspace, such as how the base is stored. */
  readonly prepare?: (folder: string) => Promise<void> | void;
}

/** Dropout, tied embeddings (the tiny model's), accumulation and clipping; few and short batches. */
const lora = tinyExperiment
  .replace("r: 4,", "r: 4, dropout: 0.1,")
  .replace(
    "max_steps: 2, batch_size: 8",
    "max_steps: 5, batch_size: 4, micro_batch_size: 2, max_grad_norm: 0.5",
  )
  .replace(
    "eval: { every: end }",
    "eval: { eval_on_start: false, metrics: [loss, { exact_match: { max_new_tokens: 2 } }] }",
  );

const unmeasured = lora.replace(" eval: ./eval.jsonl,", "").replace(/^eval:.*$/mu, "");

/** Each does something else with weights or residuals. */
const variants: Readonly<Record<string, Variant>> = {
  "LoRA, measured and generated with": {
    experiment: lora,
    prepare: (folder) => {
      writeFileSync(join(folder, "eval.jsonl"), tinyRows(2, 64));
    },
  },
  "LoRA on an NF4 base with gradient checkpointing, the rest in 16 bits": {
    experiment: unmeasured
      .replace("batch_size: 4", "gradient_checkpointing: true, batch_size: 4")
      .concat("quantization: { type: nf4, double_quant: true }\n"),
    prepare: halveBase,
  },
  // Multiplied as it is packed, by another operator than NF4.
  "LoRA on a base in groups of 4 bits": {
    experiment: unmeasured.concat("quantization: { type: rtn, bits: 4, group: 16 }\n"),
  },
  // Which no operator takes: each matrix is expanded and crosses.
  "LoRA on a base in 6-bit floats": {
    experiment: unmeasured.concat("quantization: { type: fp6 }\n"),
  },
  "full fine-tuning": {
    experiment: unmeasured
      .replace(/^method:.*$/mu, "method: full")
      .replace("max_steps: 5", "max_steps: 3"),
  },
};

/**
 * Both compute in float32, in another order of sums, and WGSL's exp and tanh are a few units in the last place
 * off: losses differ by about 1e-7.
 */
const lossTolerance = 5e-6;

/**
 * Of ‖difference‖ / ‖tensor‖. AdamW divides by the root of the squared gradient, so that where a gradient almost
 * cancels, its rounding is a share of the learning rate: up to 1e-4 in the factors whose gradients are least.
 */
const tensorTolerance = 1e-3;

describe("training on WebGPU", { skip: withoutVulkan }, () => {
  let vulkan: VulkanSpectune | undefined;
  before(() => {
    vulkan = startVulkanSpectune();
  });
  after(() => vulkan?.end());
  const run = async (folder: string, ...args: readonly string[]): Promise<Outcome> => {
    assert(vulkan);
    return await vulkan.run(folder, "run", ...args, "--json");
  };
  const onWebgpu = ["a.peft.yaml", "--set", "run.device=webgpu"];

  for (const [name, { experiment, prepare }] of Object.entries(variants))
    it(`${name}: as on the CPU`, async (t) => {
      const folder = makeWorkspace(t, experiment);
      await prepare?.(folder);
      const cpu = await ended(await spectune(folder, "run", "a.peft.yaml", "--json"));
      const gpu = await ended(await run(folder, ...onWebgpu));
      assert.equal(gpu.device, "webgpu");
      assert.equal(gpu.losses.length, cpu.losses.length);
      const apart = gpu.losses.map((loss, step) => Math.abs(loss / at(cpu.losses, step) - 1));
      assert.ok(Math.max(...apart) < lossTolerance, `losses differ by ${apart.join(", ")}`);
      assert.equal(gpu.measured.length, cpu.measured.length);
      gpu.measured.forEach((metrics, index) => {
        for (const [metric, value] of Object.entries(at(cpu.measured, index)))
          assert.ok(Math.abs((metrics[metric] ?? NaN) - value) < 1e-5 * (1 + value), metric);
      });
      assert.deepEqual([...gpu.tensors.keys()], [...cpu.tensors.keys()]);
      const differences = [...cpu.tensors].map(([tensor, values]) =>
        relativeDifference(gpu.tensors.get(tensor), values),
      );
      assert.ok(Math.max(...differences) < tensorTolerance, differences.join(", "));
      t.diagnostic(`losses ${Math.max(...apart)}, tensors ${Math.max(...differences)}`);
    });

  it("goes on from a checkpoint to the same adapter", async (t) => {
    const folder = makeWorkspace(
      t,
      unmeasured
        .replace("max_steps: 5", "max_steps: 3")
        .concat("checkpoints: { every: 2 steps, keep: 9 }\n"),
    );
    const outcome = await run(folder, ...onWebgpu);
    const { tensors } = await ended(outcome);
    const runFolder = String(lastLine(outcome)["runDir"]);
    // As if it had been killed in its third step.
    for (const name of ["checkpoints/step-3", "adapter"])
      rmSync(join(runFolder, name), { recursive: true });
    const events = readFileSync(eventsFile(runFolder), "utf8").split("\n");
    const written = events.filter((line) => !line.includes('"type":"ended"'));
    writeFileSync(eventsFile(runFolder), written.join("\n"));
    const resumed = await run(folder, "--resume", runFolder);
    assert.deepEqual((await ended(resumed)).tensors, tensors);
  });

  it("sends weights once and brings no residual back", async (t) => {
    const checks = join(import.meta.dirname, "crossings-checks.ts");
    const args = ["--test-reporter=spec", checks];
    const outcome = await nodeWithVulkan(t, import.meta.dirname, args);
    assert.equal(outcome.code, 0, outcome.out + outcome.err);
    assert.match(outcome.out, /pass [1-9]/u);
  });
});

function relativeDifference(made: Float32Array | undefined, expected: Float32Array): number {
  assert(made?.length === expected.length);
  const norm = (values: Iterable<number>): number => Math.hypot(...values);
  return norm(expected.map((value, place) => value - at(made, place))) / norm(expected);
}

interface Ended {
  readonly device: string;
  readonly losses: readonly number[];
  readonly measured: readonly Metrics[];
  readonly tensors: ReadonlyMap<string, Float32Array>;
}

async function ended(outcome: Outcome): Promise<Ended> {
  assert.equal(outcome.code, 0, outcome.err);
  const run = String(lastLine(outcome)["runDir"]);
  const { value: events } = await loadEvents(run);
  const adapter = join(run, "adapter/adapter_model.safetensors");
  const [started] = events.flatMap((event) => (event.type === "started" ? [event] : []));
  return {
    device: started?.device.chosen ?? "",
    losses: events.flatMap((event) => (event.type === "step" ? [event.loss] : [])),
    measured: events.flatMap((event) => (event.type === "eval" ? [event.metrics] : [])),
    tensors: await tensorsOf(existsSync(adapter) ? adapter : join(run, "merged")),
  };
}

async function tensorsOf(path: string): Promise<ReadonlyMap<string, Float32Array>> {
  const source = await openWeights(path);
  const tensors = new Map<string, Float32Array>();
  for (const name of source.tensors.keys()) {
    const bytes = await source.read(name);
    tensors.set(name, new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4));
  }
  await source.close();
  return tensors;
}

/** Stores the workspace's model in bfloat16. */
async function halveBase(folder: string): Promise<void> {
  const file = join(folder, "model/model.safetensors");
  const source = await openWeights(file);
  const shapes = new Map([...source.tensors].map(([name, { shape }]) => [name, shape]));
  await source.close();
  const halves = [...(await tensorsOf(file))].map(([name, values]) => {
    const bits = Uint16Array.from(
      new Uint32Array(values.buffer, values.byteOffset, values.length),
      (word) => word >>> 16,
    );
    const chunks = (): Uint8Array[] => [new Uint8Array(bits.buffer)];
    return { name, dtype: "bfloat16", shape: shapes.get(name) ?? [], chunks } as const;
  });
  await writeSafetensors(file, halves, {});
}
