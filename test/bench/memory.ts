/** @file The plan's memory against the process's peak, on configurations drawn by a seed; each in a process of its own. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { isRecord } from "../../src/shared/wire.ts";
import { measuredRun } from "./support/measured-run.ts";
import { longText, randomModel } from "./support/random-model.ts";
import { drawing } from "../../src/build/sample/world.ts";

const count = 20;

/** One drawn configuration: its model's shape and its experiment. */
async function drawn(index: number): Promise<string> {
  const pick = drawing(1000 + index);
  const choose = <T>(values: readonly T[], fallback: T): T =>
    values[pick(values.length)] ?? fallback;
  const hidden = choose([256, 384, 512, 640], 256);
  const layers = choose([4, 8, 12], 4);
  const type = choose(["llama", "qwen2", "qwen3"], "llama");
  const config = {
    model_type: type,
    hidden_size: hidden,
    intermediate_size: hidden * 3,
    num_hidden_layers: layers,
    num_attention_heads: hidden / 64,
    num_key_value_heads: choose([hidden / 64, hidden / 128], hidden / 64),
    head_dim: 64,
    vocab_size: choose([8192, 32768], 8192),
    max_position_embeddings: 2048,
    tie_word_embeddings: choose([true, false], true),
  };
  if (!Number.isInteger(config.num_key_value_heads))
    config.num_key_value_heads = config.num_attention_heads;
  const folder = await randomModel(`drawn-${index}`, config);
  const length = choose([64, 128, 256, 512], 128);
  const method = choose(["lora", "lora", "full"], "lora");
  const nf4 = method === "lora" && pick(2) === 0;
  return `
version: 1
model: ${folder}
data: { train: ${longText(folder, 64, 3 * length)}, format: text, max_length: ${length} }
method: ${method === "full" ? "full" : `{ type: lora, r: ${choose([4, 16, 64], 4)} }`}
${nf4 ? "quantization: { type: nf4 }" : ""}
train: { max_steps: 4, batch_size: ${choose([2, 4, 8], 4)}, gradient_checkpointing: ${pick(2) === 0}, learning_rate: 1.0e-4 }
checkpoints: { every: end }
`;
}

/** The ratios of estimate to peak over all configurations, or those of one when an index is given by the environment. */
export async function memory(): Promise<unknown> {
  const one = process.env["SPECTUNE_BENCH_INDEX"];
  if (one !== undefined) {
    const run = await measuredRun(await drawn(Number(one)));
    return { peakBytes: run.peakBytes, estimatedBytes: run.estimatedBytes };
  }
  const rows: {
    readonly index: number;
    readonly peakBytes: number;
    readonly estimatedBytes: number;
    readonly ratio: number;
  }[] = [];
  for (let index = 0; index < count; index++) {
    const child = spawnSync(
      process.execPath,
      [join(import.meta.dirname, "main.ts"), "memory", "--one"],
      {
        env: { ...process.env, SPECTUNE_BENCH_INDEX: String(index) },
        encoding: "utf8",
        stdio: ["ignore", "pipe", "inherit"],
      },
    );
    if (child.status !== 0)
      throw new Error(`configuration ${index} ended with code ${String(child.status)}`);
    const measured: unknown = JSON.parse(child.stdout.trim());
    const bytes = (name: string): number => (isRecord(measured) ? Number(measured[name]) : NaN);
    const [peakBytes, estimatedBytes] = [bytes("peakBytes"), bytes("estimatedBytes")];
    rows.push({ index, peakBytes, estimatedBytes, ratio: estimatedBytes / peakBytes });
  }
  const ratios = rows.map(({ ratio }) => ratio);
  return { least: Math.min(...ratios), most: Math.max(...ratios), rows };
}
