/** @file A LoRA step of the SmolLM-135M shape, in float32 and on NF4: share of the product rate, memory. */
import { availableParallelism } from "node:os";
import { storageOf } from "../../src/engine/programs/setup.ts";
import { longText, randomModel, smolLM } from "./support/random-model.ts";
import { measuredRun } from "./support/measured-run.ts";
import { median, productRate } from "./support/peak.ts";
import type { TorchStep } from "./support/torch.ts";
import { torchStep } from "./support/torch.ts";
import { loraStepWork } from "./support/work.ts";

const [batch, length] = [4, 256];

export async function loraStep(
  quantization: "none" | "nf4",
): Promise<Readonly<Record<string, unknown>>> {
  const folder = await randomModel("smollm-135m", smolLM);
  const threads = availableParallelism();
  const eager = quantization === "none" ? torchStep("eager", threads) : undefined;
  const before = await productRate(threads);
  const run = await measuredRun(`
version: 1
model: ${folder}
data: { train: ${longText(folder, 80, 600)}, format: text, max_length: ${length} }
method: { type: lora, r: 8, alpha: 16, target_modules: all-linear }
${quantization === "nf4" ? "quantization: { type: nf4, block_size: 64, double_quant: true }" : ""}
train: { max_steps: 10, batch_size: ${batch}, learning_rate: 1.0e-4, lr_scheduler_type: constant }
checkpoints: { every: end }
`);
  const after = await productRate(threads);
  const compiled = quantization === "none" ? torchStep("compile", threads) : undefined;
  const warm = run.steps.slice(2);
  const seconds = median(warm);
  const work = loraStepWork(run.prepared.setup, batch, length);
  const rate = Math.max(before, after);
  return {
    threads,
    productRateBefore: before,
    productRateAfter: after,
    stepSeconds: seconds,
    fastestStepSeconds: Math.min(...warm),
    workFlop: work,
    shareOfPeak: work / seconds / rate,
    tokensPerSecond: (batch * length) / seconds,
    firstStepSeconds: run.firstStep,
    peakBytes: run.peakBytes,
    estimatedBytes: run.estimatedBytes,
    base: { ...run.base, bytesPerQuantizedParameter: quantizedBytes() },
    torchEager: beside(eager),
    torchCompile: beside(compiled),
  };

  function quantizedBytes(): number | undefined {
    const quantized = run.prepared.setup.model.blocks.flatMap(({ id, linears }) => {
      const setup = run.prepared.setup.setups.get(id);
      return linears.filter(
        ({ name }) => setup && storageOf(setup, `${name}.weight`).type === "nf4",
      );
    });
    const count = quantized.reduce((sum, linear) => sum + linear.in * linear.out, 0);
    return count === 0 ? undefined : run.base.quantized / count;
  }

  /** A step of PyTorch and what ours is of it: speed and memory, more is better and less is better. */
  function beside(torch: TorchStep | undefined): Readonly<Record<string, unknown>> | undefined {
    return (
      torch && {
        ...torch,
        speedRatio: torch.stepSeconds / seconds,
        memoryRatio: run.peakBytes / torch.peakBytes,
      }
    );
  }
}
