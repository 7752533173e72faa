/** @file The LoRA step of the SmolLM-135M shape as one graph in one session: forward, loss and backward, without the update. */
import { availableParallelism } from "node:os";
import { resourceUsage } from "node:process";
import type { HostData } from "../../src/engine/runtime/backend.ts";
import type { Value } from "../../src/engine/core/graph.ts";
import { createOrtBackend } from "../../src/engine/runtime/ort.ts";
import { elementCount } from "../../src/shared/dtypes.ts";
import { productRate, median } from "./support/peak.ts";
import { measuredRun, prepared } from "./support/measured-run.ts";
import { longText, randomModel, smolLM } from "./support/random-model.ts";
import { wholeStep } from "./support/whole-step.ts";
import { loraStepWork } from "./support/work.ts";

const [batch, length] = [4, 256];

/**
 * Before and after steps of a run, which is the same arithmetic program by program, with the update. The whole step's
 * weights are drawn in place of read; its outputs are preallocated.
 */
export async function wholeGraphStep(): Promise<Readonly<Record<string, unknown>>> {
  const folder = await randomModel("smollm-135m", smolLM);
  const threads = availableParallelism();
  const before = await productRate(threads);
  const experiment = `
version: 1
model: ${folder}
data: { train: ${longText(folder, 80, 600)}, format: text, max_length: ${length} }
method: { type: lora, r: 8, alpha: 16, target_modules: all-linear }
train: { max_steps: 8, batch_size: ${batch}, learning_rate: 1.0e-4, lr_scheduler_type: constant }
checkpoints: { every: end }
`;
  const { setup } = await prepared(experiment);
  const backend = await createOrtBackend({ device: "cpu", threads });
  const started = performance.now();
  const graph = wholeStep(setup, {
    batch,
    length,
    ownPositions: false,
    bias: "none",
  });
  const program = await backend.compile(graph);
  const readySeconds = (performance.now() - started) / 1000;
  const wanted = new Set(program.inputs);
  const feeds = new Map(
    graph.inputs
      .filter(({ name }) => wanted.has(name))
      .map(({ name, value }) => [
        name,
        backend.upload(value.dtype, value.shape, filled(name, value)),
      ]),
  );
  const into = new Map(
    [...graph.outputs].map(([name, value]) => [
      name,
      backend.upload(value.dtype, value.shape, new Float32Array(elementCount(value.shape))),
    ]),
  );
  const warmSteps = async (): Promise<readonly number[]> => {
    const seconds: number[] = [];
    for (let step = 0; step < 5; step++) {
      const start = performance.now();
      await program.run(feeds, into);
      seconds.push((performance.now() - start) / 1000);
    }
    return seconds.slice(1);
  };
  const first = await warmSteps();
  const peakBytes = resourceUsage().maxRSS * 1024;
  const run = await measuredRun(experiment);
  const whole = median([...first, ...(await warmSteps())]);
  const split = median(run.steps.slice(2));
  const rate = Math.max(before, await productRate(threads));
  const share = (seconds: number): number => loraStepWork(setup, batch, length) / seconds / rate;
  return {
    threads,
    nodes: graph.nodes.length,
    readySeconds,
    wholeStepSeconds: whole,
    programsStepSeconds: split,
    ratio: split / whole,
    wholeShareOfPeak: share(whole),
    programsShareOfPeak: share(split),
    wholePeakBytes: peakBytes,
  };
}

function filled(name: string, { dtype, shape }: Value): HostData {
  const count = elementCount(shape);
  if (dtype !== "float32") {
    const start = Number(name.split(".")[1] ?? 0);
    return new Int32Array(count).map((_, i) =>
      name.startsWith("indices") ? start + i : (i * 37) % 49152,
    );
  }
  const spread = name.includes("norm") ? 1 : 0.02;
  return new Float32Array(count).map((_, i) => spread * Math.sin(i * 0.7 + count));
}
