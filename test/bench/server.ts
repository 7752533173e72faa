/** @file The language server on a file of 500 lines: from a keystroke to diagnostics and to completions, alone and over its pipes. */
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { analyse } from "../../server/src/analysis.ts";
import { complete } from "../../server/src/completion.ts";
import { diagnose } from "../../server/src/diagnostics.ts";
import { createWorld } from "../../src/cli/language-server/world.ts";
import { partOf, startLanguageClient, uri } from "../support/language-client.ts";

const sample = join(import.meta.dirname, "../../media/sample");
const keystrokes = 200;

interface Times {
  readonly median: number;
  readonly p95: number;
  readonly most: number;
}

/** Milliseconds, to be under 50 for diagnostics and under 30 for completions at the 95th percentile. */
export async function server(): Promise<Readonly<Record<string, unknown>>> {
  const folder = mkdtempSync(join(tmpdir(), "spectune-bench-"));
  try {
    cpSync(sample, folder, { recursive: true });
    const text = longDocument();
    return {
      lines: text.split("\n").length,
      ...(await alone(folder, text)),
      ...(await overPipes(folder, text)),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The functions by themselves, with the answers about model and data there. */
async function alone(folder: string, text: string): Promise<Readonly<Record<string, Times>>> {
  const { facts, settled } = createWorld((error) => {
    throw error;
  });
  const file = join(folder, "long.peft.yaml").replaceAll("\\", "/");
  for (let round = 0; round < 20; round += 1) {
    diagnose(analyse({ file, text }, facts));
    await settled(10_000);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const diagnostics = edits(text).map((edited) =>
    timed(() => diagnose(analyse({ file, text: edited }, facts))),
  );
  const completions = edits(text).map((edited, index) => {
    const analysis = analyse({ file, text: edited }, facts);
    return timed(() => complete(analysis, placeOf(text, index)));
  });
  return { diagnostics: summary(diagnostics), completion: summary(completions) };
}

/** As an editor has it: each keystroke is a change over the pipe, and waits for its diagnostics. */
async function overPipes(folder: string, text: string): Promise<Readonly<Record<string, Times>>> {
  const client = await startLanguageClient(folder);
  const document = uri(join(folder, "long.peft.yaml"));
  const told = (version: number) =>
    client.next(
      "textDocument/publishDiagnostics",
      (params) => partOf(params, "version") === version,
    );
  client.notify("textDocument/didOpen", {
    textDocument: { uri: document, languageId: "spectune", version: 1, text },
  });
  await told(1);
  await new Promise((resolve) => setTimeout(resolve, 4000));
  const diagnostics: number[] = [];
  const completions: number[] = [];
  for (const [index, edited] of edits(text).entries()) {
    const version = index + 2;
    const begin = performance.now();
    client.notify("textDocument/didChange", {
      textDocument: { uri: document, version },
      contentChanges: [{ text: edited }],
    });
    await told(version);
    diagnostics.push(performance.now() - begin);
    const lines = edited.slice(0, placeOf(text, index)).split("\n");
    const position = { line: lines.length - 1, character: lines.at(-1)?.length ?? 0 };
    const asked = performance.now();
    await client.request("textDocument/completion", { textDocument: { uri: document }, position });
    completions.push(performance.now() - asked);
  }
  await client.stop();
  return {
    diagnosticsOverPipes: summary(diagnostics),
    completionOverPipes: summary(completions),
  };
}

/** The document with something half typed at a place, another one each time. */
function edits(text: string): readonly string[] {
  return Array.from({ length: keystrokes }, (_, index) => {
    const place = placeOf(text, index);
    return `${text.slice(0, place)}t${text.slice(place)}`;
  });
}

function placeOf(text: string, index: number): number {
  return Math.floor((text.length * (index + 0.5)) / keystrokes);
}

function timed(work: () => unknown): number {
  const begin = performance.now();
  work();
  return performance.now() - begin;
}

function summary(times: readonly number[]): Times {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number) =>
    Number(
      (sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0).toFixed(2),
    );
  return { median: at(0.5), p95: at(0.95), most: at(1) };
}

/** Every kind of section, a pattern for each layer, a long list and comments between. */
function longDocument(): string {
  const modules = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"];
  const patterns = Array.from({ length: 5 }, (_, layer) =>
    modules.flatMap((module) => [
      `    # layer ${layer}`,
      `    layers.${layer}.*${module}: ${4 + layer}`,
    ]),
  ).flat();
  const labels = Array.from({ length: 330 }, (_, index) => `    - label ${index}`);
  return [
    "version: 1",
    "model: ./base",
    "data:",
    "  train: ./data/train.jsonl",
    "  eval: ./data/eval.jsonl",
    "  max_length: 128",
    "  labels:",
    ...labels,
    "method:",
    "  type: lora",
    "  r: 8",
    "  alpha: 2r",
    "  target_modules:",
    ...modules.map((module) => `    - ${module}`),
    "  rank_pattern:",
    ...patterns,
    "  alpha_pattern:",
    ...patterns,
    "train:",
    "  num_train_epochs: 2",
    "  batch_size: 32",
    "  learning_rate: 4.0e-3",
    "  warmup_steps: 0.05",
    "  optimizer: { type: adamw, weight_decay: 0.01 }",
    "eval:",
    "  every: 50 steps",
    "  metrics: [loss, perplexity]",
    "sweep:",
    "  grid:",
    "    train.learning_rate: [1.0e-3, 2.0e-3, 4.0e-3]",
    "    method.dropout: [0, 0.1]",
    "  seeds: [0, 1, 2]",
    "",
  ].join("\n");
}
