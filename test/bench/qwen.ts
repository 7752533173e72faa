/** @file Memory of LoRA on the Qwen2.5-0.5B shape, batch 1×512. */
import { measuredRun } from "./support/measured-run.ts";
import { longText, qwen05, randomModel } from "./support/random-model.ts";

export async function qwen(
  quantization: "none" | "nf4",
): Promise<Readonly<Record<string, unknown>>> {
  const folder = await randomModel("qwen2.5-0.5b", qwen05);
  const run = await measuredRun(`
version: 1
model: ${folder}
data: { train: ${longText(folder, 8, 1200)}, format: text, max_length: 512 }
method: { type: lora, r: 8, alpha: 16, target_modules: all-linear }
${quantization === "nf4" ? "quantization: { type: nf4 }" : ""}
train: { max_steps: 3, batch_size: 1, learning_rate: 1.0e-4 }
checkpoints: { every: end }
`);
  return { stepSeconds: run.steps, peakBytes: run.peakBytes, estimatedBytes: run.estimatedBytes };
}
