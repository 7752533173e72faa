/** @file `npm run bench [NAME…]`: each benchmark in a process of its own; results as JSON with commit and machine. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";
import { buildKernels } from "../../src/build/kernels.ts";
import { dropoutShare } from "./dropout.ts";
import { findings } from "./findings.ts";
import { firstStep } from "./first-step.ts";
import { kernels } from "./kernels.ts";
import { loraStep } from "./lora-step.ts";
import { memory } from "./memory.ts";
import { methodCost } from "./method-cost.ts";
import { methods } from "./methods.ts";
import { mitigation } from "./mitigation.ts";
import { onlyB } from "./only-b.ts";
import { panels } from "./panels.ts";
import { qwen } from "./qwen.ts";
import { quantizeMemory } from "./quantize-memory.ts";
import { quantizeSample } from "./quantize-sample.ts";
import { quantize } from "./quantize.ts";
import { server } from "./server.ts";
import { spectra } from "./spectra.ts";
import { wholeGraphStep } from "./whole-step.ts";

const benchmarks = {
  "lora-step": () => loraStep("none"),
  "nf4-step": () => loraStep("nf4"),
  "whole-step": wholeGraphStep,
  "first-step": firstStep,
  dropout: dropoutShare,
  qwen: () => qwen("none"),
  "qwen-nf4": () => qwen("nf4"),
  memory,
  server,
  kernels,
  panels,
  findings,
  "only-b": onlyB,
  methods,
  "method-cost": methodCost,
  mitigation,
  quantize,
  "quantize-memory": () => quantizeMemory(),
  "quantize-sample": quantizeSample,
  spectra,
} as const satisfies Record<string, () => Promise<unknown>>;

type Name = keyof typeof benchmarks;

const names = process.argv.slice(2).filter((argument) => argument !== "--one");
const known = (name: string): name is Name => Object.hasOwn(benchmarks, name);
const unknown = names.filter((name) => !known(name));
if (unknown.length > 0) {
  process.stderr.write(
    `There is no benchmark ${unknown.join(", ")}; there are ${Object.keys(benchmarks).join(", ")}.\n`,
  );
  process.exit(2);
}
const wanted: readonly Name[] =
  names.length > 0 ? names.filter(known) : Object.keys(benchmarks).filter(known);

if (process.argv.includes("--one"))
  for (const name of wanted) process.stdout.write(`${JSON.stringify(await benchmarks[name]())}\n`);
else {
  await buildKernels();
  for (const name of wanted) record(name);
}

function record(name: Name): void {
  const child = spawnSync(process.execPath, [import.meta.filename, name, "--one"], {
    stdio: ["ignore", "pipe", "inherit"],
    encoding: "utf8",
  });
  if (child.status !== 0) {
    process.exitCode = 1;
    return;
  }
  const result: unknown = JSON.parse(child.stdout.trim().split("\n").at(-1) ?? "null");
  const report = {
    name,
    commit: commit(),
    date: new Date().toISOString(),
    machine: machine(),
    result,
  };
  const folder = join(import.meta.dirname, "results");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(report, null, 2)}\n`);
  process.stdout.write(`${name} ${JSON.stringify(result, null, 1)}\n`);
}

function commit(): string {
  try {
    return execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim();
  } catch {
    return "unknown";
  }
}

function machine(): Readonly<Record<string, unknown>> {
  return {
    cpu: cpus()[0]?.model,
    cores: cpus().length,
    memoryBytes: totalmem(),
    node: process.versions.node,
  };
}
