/**
 * @file GPTQ of a model of Qwen2.5-0.5B's shape by the command line, in processes of their own: the greatest memory,
 * seconds a layer, and what a kill in the middle costs. Whole with few windows of text; with as many as the command
 * takes by itself for the first two layers alone, as every layer holds what the one before it held.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { longText, qwen05, randomModel } from "./support/random-model.ts";

const program = join(import.meta.dirname, "../../src/cli/spectune.ts");

export async function quantizeMemory(): Promise<Readonly<Record<string, unknown>>> {
  const model = await randomModel("qwen2.5-0.5b-bf16", qwen05, { dtype: "bfloat16" });
  const text = longText(model, 1200, 120);
  const folder = mkdtempSync(join(tmpdir(), "spectune-bench-quantize-"));
  try {
    const usual = [model, "--type", "gptq", "--calibration", text, "--out"];
    const killed = await quantized([...usual, join(folder, "usual")], 2);
    const resumed = await quantized([...usual, join(folder, "usual")], 3);
    const few = ["--samples", "8"];
    const whole = await quantized([...usual, join(folder, "whole"), ...few], undefined);
    return {
      "128 windows of 512, ended after a layer": killed,
      "the same again, ended after another": resumed,
      "8 windows of 512, all 24 layers": whole,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Watched {
  readonly peakBytes: number;
  readonly seconds: number;
  /** The first line that tells how much time is left. */
  readonly left: string | undefined;
  readonly lines: number;
}

/** Runs the command, and kills it as it begins layer `until`. */
async function quantized(args: readonly string[], until: number | undefined): Promise<Watched> {
  const started = performance.now();
  const child = spawn(process.execPath, [program, "quantize", ...args], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let [told, peakBytes] = ["", 0];
  const look = (): void => {
    peakBytes = Math.max(peakBytes, highWater(child.pid ?? 0));
  };
  const looking = setInterval(look, 250);
  child.stderr.setEncoding("utf8").on("data", (some: string) => {
    told += some;
    if (until === undefined || !told.includes(`layer ${until}/`)) return;
    look();
    child.kill("SIGKILL");
  });
  await once(child, "close");
  clearInterval(looking);
  if (until === undefined && child.exitCode !== 0) throw new Error(told);
  const lines = told.trim().split("\n");
  return {
    peakBytes,
    seconds: (performance.now() - started) / 1000,
    left: lines.find((line) => line.endsWith("left")),
    lines: lines.length,
  };
}

/** Of a process that runs; Linux alone tells it. */
function highWater(pid: number): number {
  try {
    const [, kilobytes] =
      /VmHWM:\s+(\d+) kB/u.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
    return 1024 * Number(kilobytes ?? 0);
  } catch {
    return 0;
  }
}
