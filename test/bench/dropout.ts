/** @file What dropout's random masks cost of a LoRA step of the SmolLM-135M shape. */
import { randomNumbers } from "../../src/engine/session/draw.ts";
import { median } from "./support/peak.ts";
import { longText, randomModel, smolLM } from "./support/random-model.ts";
import { measuredRun } from "./support/measured-run.ts";

const [batch, length, keep] = [4, 256, 0.95];

export async function dropoutShare(): Promise<Readonly<Record<string, unknown>>> {
  const folder = await randomModel("smollm-135m", smolLM);
  const run = await measuredRun(`
version: 1
model: ${folder}
data: { train: ${longText(folder, 80, 600)}, format: text, max_length: ${length} }
method: { type: lora, r: 8, alpha: 16, dropout: ${(1 - keep).toFixed(2)}, target_modules: all-linear }
train: { max_steps: 7, batch_size: ${batch}, learning_rate: 1.0e-4, lr_scheduler_type: constant }
checkpoints: { every: end }
`);
  const sites = [...run.prepared.setup.setups.values()].flatMap(({ spec, sites: own }) =>
    spec.linears.filter(({ name }) => own.has(name)),
  );
  const random = randomNumbers(0);
  // Memory of their own, as the buffers of a run have it.
  const masks = sites.map((site) => ({ site, into: new Uint8Array(batch * length * site.in) }));
  const seconds = Array.from({ length: 7 }, (_, step) => {
    const started = performance.now();
    random.begin(step, 0);
    for (const { site, into } of masks) random.mask(site.module, keep, 0, into);
    return (performance.now() - started) / 1000;
  });
  const [maskSeconds, stepSeconds] = [median(seconds.slice(2)), median(run.steps.slice(2))];
  return {
    masks: masks.length,
    maskBytes: masks.reduce((sum, { into }) => sum + into.length, 0),
    maskSeconds,
    stepSeconds,
    shareOfStep: maskSeconds / stepSeconds,
  };
}
