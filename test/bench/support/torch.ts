/** @file The same step in PyTorch, where it is installed: `SPECTUNE_PYTHON` names the Python that has it. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { isRecord } from "../../../src/shared/wire.ts";

const script = join(import.meta.dirname, "../../reference/bench/torch_step.py");

export interface TorchStep {
  readonly stepSeconds: number;
  readonly tokensPerSecond: number;
  readonly peakBytes: number;
  readonly productRate: number;
  readonly versions: unknown;
}

/** One measurement of `torch_step.py`; `undefined` where no Python is named. */
export function torchStep(mode: "eager" | "compile", threads: number): TorchStep | undefined {
  const python = process.env["SPECTUNE_PYTHON"];
  if (python === undefined) return undefined;
  const options = ["--mode", mode, "--threads", String(threads)];
  const text = execFileSync(python, [script, ...options], { encoding: "utf8" });
  const report: unknown = JSON.parse(text.trim().split("\n").at(-1) ?? "null");
  if (!isRecord(report) || !isRecord(report["productGflops"]))
    throw new Error(`${script} printed no result`);
  const { before, after } = report["productGflops"];
  return {
    stepSeconds: Number(report["stepSeconds"]),
    tokensPerSecond: Number(report["tokensPerSecond"]),
    peakBytes: Number(report["peakRssBytes"]),
    productRate: Math.max(Number(before), Number(after)) * 1e9,
    versions: report["versions"],
  };
}
