/**
 * @file GPTQ of a model of Qwen2.5-0.5B's shape by the command line, in processes of their own: the greatest memory over
 * all layers, seconds of each, and of four such layers whether a kill in the middle changes a byte. All layers with few
 * windows of text; with as many as the command takes by itself one layer, as every layer holds what the one before it held.
 */
import { createHash } from "node:crypto";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Config } from "./support/random-model.ts";
import { longText, qwen05, randomModel } from "./support/random-model.ts";

const program = join(import.meta.dirname, "../../src/cli/spectune.ts");

/** Another shape and fewer windows are for trying it out. */
export async function quantizeMemory({
  name = "qwen2.5-0.5b-bf16",
  config = qwen05,
  samples = 8,
}: {
  readonly name?: string;
  readonly config?: Config;
  readonly samples?: number;
} = {}): Promise<Readonly<Record<string, unknown>>> {
  const model = await randomModel(name, config, { dtype: "bfloat16" });
  const short = await randomModel(`${name}-4`, fourLayers(config), { dtype: "bfloat16" });
  const text = longText(model, 1200, 120);
  const folder = mkdtempSync(join(tmpdir(), "spectune-bench-quantize-"));
  const to = (of: string, out: string, ...more: readonly string[]) =>
    [of, "--type", "gptq", "--calibration", text, "--out", join(folder, out), ...more] as const;
  try {
    const few = ["--samples", String(samples)];
    const whole = await quantized(to(model, "whole", ...few), undefined);
    rmSync(join(folder, "whole"), { recursive: true });
    const usual = await quantized(to(model, "usual"), 2);
    const unbroken = await quantized(to(short, "unbroken", ...few), undefined);
    const killed = await quantized(to(short, "killed", ...few), 3);
    const resumed = await quantized(to(short, "killed", ...few), undefined);
    return {
      [`${samples} windows of 512, all layers`]: whole,
      "128 windows of 512, ended after a layer": usual,
      [`${samples} windows of 512, four layers`]: {
        unbroken,
        killed,
        resumed,
        "the same bytes": bytesOf(join(folder, "unbroken")) === bytesOf(join(folder, "killed")),
      },
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function fourLayers(config: Config): Config {
  return { ...config, num_hidden_layers: 4 };
}

/** Told by a digest. */
function bytesOf(folder: string): string {
  return createHash("sha256")
    .update(readFileSync(join(folder, "model.safetensors")))
    .digest("hex");
}

interface Watched {
  readonly peakBytes: number;
  readonly seconds: number;
  /** The first line that tells how much time is left. */
  readonly left: string | undefined;
  /** From the line of one to that of the next, the last to the end. */
  readonly layerSeconds: readonly number[];
}

/** Runs the command, and kills it as it begins layer `until`. */
async function quantized(args: readonly string[], until: number | undefined): Promise<Watched> {
  const started = performance.now();
  const child = spawn(process.execPath, [program, "quantize", ...args], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let [told, peakBytes] = ["", 0];
  const begun = new Map<string, number>();
  const look = (): void => {
    peakBytes = Math.max(peakBytes, highWater(child.pid ?? 0));
  };
  const looking = setInterval(look, 250);
  child.stderr.setEncoding("utf8").on("data", (some: string) => {
    told += some;
    for (const [layer] of some.matchAll(/layer \d+\//gu))
      if (!begun.has(layer)) begun.set(layer, performance.now());
    if (until === undefined || !told.includes(`layer ${until}/`)) return;
    look();
    child.kill("SIGKILL");
  });
  await once(child, "close");
  clearInterval(looking);
  if (until === undefined && child.exitCode !== 0) throw new Error(told);
  const ended = performance.now();
  const starts = [...begun.values(), ended];
  return {
    peakBytes,
    seconds: (ended - started) / 1000,
    left: told.split("\n").find((line) => line.endsWith("left")),
    layerSeconds: starts.slice(1).map((at, i) => (at - (starts[i] ?? at)) / 1000),
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
