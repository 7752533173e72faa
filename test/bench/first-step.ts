/** @file `spectune run` from its call to the end of the first step, on the SmolLM-135M shape. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createReadStream, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadEvents } from "../../src/engine/runs/events-log.ts";
import { isRecord } from "../../src/shared/wire.ts";
import { median } from "./support/peak.ts";
import { longText, randomModel, smolLM } from "./support/random-model.ts";

const entry = join(import.meta.dirname, "../../src/cli/spectune.ts");

export async function firstStep(): Promise<Readonly<Record<string, unknown>>> {
  const model = await randomModel("smollm-135m", smolLM);
  const folder = mkdtempSync(join(tmpdir(), "spectune-bench-first-"));
  try {
    writeFileSync(
      join(folder, "a.peft.yaml"),
      `version: 1
model: ${model}
data: { train: ${longText(model, 80, 600)}, format: text, max_length: 256 }
method: { type: lora, r: 8, alpha: 16, target_modules: all-linear }
train: { max_steps: 5, batch_size: 4, learning_rate: 1.0e-4, lr_scheduler_type: constant }
checkpoints: { every: end }
run: { report_to: [] }
`,
    );
    const weights = join(model, "model.safetensors");
    const readBefore = await secondsToRead(weights);
    const called = Date.now();
    const child = spawnSync(process.execPath, [entry, "run", "a.peft.yaml", "--json"], {
      cwd: folder,
      encoding: "utf8",
    });
    assert.equal(child.status, 0, child.stderr);
    const line: unknown = JSON.parse(child.stdout.trim().split("\n").at(-1) ?? "");
    assert(isRecord(line));
    const readAfter = await secondsToRead(weights);
    const { value: events } = await loadEvents(String(line["runDir"]));
    const timeOf = (type: string): number => {
      const event = events.find((candidate) => candidate.type === type);
      assert(event);
      return (event.time - called) / 1000;
    };
    const steps = events.flatMap((event) => (event.type === "step" ? [event.seconds] : []));
    const warm = median(steps.slice(1));
    const read = Math.min(readBefore, readAfter);
    const first = timeOf("step");
    return {
      toStartedSeconds: timeOf("started"),
      toFirstStepSeconds: first,
      firstStepSeconds: steps[0],
      warmStepSeconds: warm,
      readSeconds: read,
      warmStepsBeyondReading: (first - read) / warm,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Once through the file, piece by piece. */
async function secondsToRead(file: string): Promise<number> {
  const started = performance.now();
  let bytes = 0;
  for await (const chunk of createReadStream(file, { highWaterMark: 4 << 20 })) {
    assert(chunk instanceof Buffer);
    bytes += chunk.length;
  }
  assert(bytes > 0);
  return (performance.now() - started) / 1000;
}
