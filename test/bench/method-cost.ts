/**
 * @file What methods cost beside LoRA: processor seconds of a step in the same process, GaLore's refresh at its default
 * interval, MeZO's memory beside that of measuring alone on all of SmolLM-135M's shape. Methods take turns, so that a busy
 * machine slows all alike.
 */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { measuredRun } from "./support/measured-run.ts";
import { median } from "./support/peak.ts";
import { peakOf } from "./support/peak-of.ts";
import { longText, randomModel, smolLM } from "./support/random-model.ts";

/** Of the shape of SmolLM-135M, with fewer layers and words, so that the layers are most of a step. */
const shape = { ...smolLM, num_hidden_layers: 4, vocab_size: 8192 };
const rounds = 3;
const warm = 2;

/** At LoRA's rank, and at its number of parameters. */
const methods = {
  "next to nothing": "{ type: lora, r: 1, target_modules: [q_proj], layers_to_transform: [0] }",
  lora: "{ type: lora, r: 8, alpha: 16 }",
  "paca, LoRA's rank": "{ type: paca, r: 8, alpha: 8 }",
  "paca, LoRA's parameters": "{ type: paca, r: 16, alpha: 16 }",
  "miss, LoRA's rank": "{ type: miss, r: 8 }",
  "miss, LoRA's parameters": "{ type: miss, r: 16 }",
} as const;

export async function methodCost(): Promise<Readonly<Record<string, unknown>>> {
  const experiment = experimentOn(await randomModel("smollm-4", shape), 4);
  const seconds = new Map<string, number[]>();
  const parameters = new Map<string, number>();
  for (let round = 0; round < rounds; round++)
    for (const [name, method] of Object.entries(methods)) {
      const run = await measuredRun(experiment(method, "max_steps: 8"));
      seconds.set(name, [...(seconds.get(name) ?? []), ...run.processor.slice(warm)]);
      parameters.set(name, run.prepared.setup.trainableParameters);
    }
  const lora = median(seconds.get("lora") ?? []);
  return {
    steps: [...seconds].map(([name, all]) => ({
      name,
      parameters: parameters.get(name),
      seconds: median(all),
      fastest: Math.min(...all),
      ofLora: median(all) / lora,
    })),
    galore: await refreshShare(experiment),
    mezo: memoryOfMezo(
      experimentOn(await randomModel("smollm", smolLM), 1)("full", "max_steps: 2, optimizer: mezo"),
    ),
  };
}

/** Texts of an experiment on a model, by method and fields of `train`. */
function experimentOn(folder: string, batch: number): (method: string, train: string) => string {
  const data = longText(folder, 10 * batch, 600);
  return (method, train) => `
version: 1
model: ${folder}
data: { train: ${data}, format: text, max_length: 256 }
method: ${method}
train: { batch_size: ${batch}, learning_rate: 1.0e-4, lr_scheduler_type: constant, ${train} }
checkpoints: { every: end }
export: []
run: { threads: 1 }
`;
}

/** A run refreshes once in 200 steps by default; here each fifth step does, and the others do not. */
async function refreshShare(
  experiment: (method: string, train: string) => string,
): Promise<Readonly<Record<string, number>>> {
  const every = 5;
  const optimizer = `optimizer: { type: galore, update_proj_gap: ${every} }`;
  const { processor } = await measuredRun(experiment("full", `max_steps: 16, ${optimizer}`));
  const refreshing = processor.filter((_, index) => index > 0 && index % every === 0);
  const others = processor.filter((_, index) => index > 1 && index % every !== 0);
  const step = median(others);
  const refresh = median(refreshing) - step;
  return { stepSeconds: step, refreshSeconds: refresh, share: refresh / (200 * step + refresh) };
}

/** Training by forward passes beside measuring the same text, both by the command line. */
function memoryOfMezo(yaml: string): Readonly<Record<string, number>> {
  const folder = mkdtempSync(join(tmpdir(), "spectune-mezo-"));
  try {
    const file = join(folder, "mezo.peft.yaml");
    writeFileSync(file, yaml);
    const training = peakOf(["run", file, "--json"], folder);
    const runs = join(folder, ".spectune/runs");
    const run = join(runs, readdirSync(runs)[0] ?? "");
    const [, data = ""] = /train: ([^,]*),/.exec(yaml) ?? [];
    const measuring = peakOf(["eval", run, "--data", data, "--metrics", "loss"], folder);
    return { training, measuring, ratio: training / measuring };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
