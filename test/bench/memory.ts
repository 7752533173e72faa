/**
 * @file The plan against what a run took, memory and time, on configurations drawn by a seed. Each is planned and run
 * by the command line, as a user would, so that both threads and the display are in the peak. The models are
 * small: the process's own floor is a good part of most peaks. It is measured beside them, by a run of next to nothing.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isRecord } from "../../src/shared/wire.ts";
import { processFloor } from "../../src/engine/plan/plan-memory.ts";
import { eventsFile } from "../../src/engine/runs/events-log.ts";
import { drawing } from "../../src/build/sample/world.ts";
import type { Config } from "./support/random-model.ts";
import {
  labelledText,
  longText,
  prompts,
  randomModel,
  variedText,
} from "./support/random-model.ts";

const count = 20;
const architectures = ["llama", "qwen2", "gpt2", "qwen3", "bert", "roberta"] as const;
type Architecture = (typeof architectures)[number];

type Rows = "long" | "varied" | "prompts";

/** One drawn experiment, and the words for it in the report. */
interface Drawn {
  readonly name: string;
  readonly yaml: string;
}

async function drawn(index: number): Promise<Drawn> {
  const pick = drawing(1000 + index);
  const choose = <T>(values: readonly [T, ...T[]]): T => values[pick(values.length)] ?? values[0];
  // In turn, so that each comes three times at least; all else is drawn.
  const type = architectures[index % architectures.length] ?? "llama";
  const hidden = choose([256, 384, 512, 640]);
  const layers = choose([4, 6, 8]);
  const vocabulary = choose([8192, 32768]);
  const heads = hidden / 64;
  const groups = choose([heads, heads % 2 === 0 ? heads / 2 : heads]);
  const tied = choose([true, false]);
  const half = choose([false, false, true]);
  const [batch, micro] = choose<readonly [number, number | "auto"]>([
    [2, "auto"],
    [4, "auto"],
    [8, "auto"],
    [4, 1],
    [8, 2],
  ]);
  const length = choose([64, 128, 256, 512]);
  const full = choose([false, false, true]);
  const rank = choose([4, 16, 64]);
  const dropout = choose([0, 0, 0.1]);
  const checkpointing = choose([false, true]);
  const quantization = full ? "none" : choose(["none", "nf4", "nf4 doubly"] as const);
  const measured = choose([false, true]);
  // Rows of many lengths, and questions that are answered to be measured.
  const rows = choose<Rows>(["long", "varied", "prompts"]);

  const labelled = type === "bert" || type === "roberta";
  const task = labelled ? "sequence-classification" : "causal-lm";
  const folder = await randomModel(
    ["drawn", type, hidden, layers, vocabulary, groups, tied, half].join("-"),
    configOf(type, { hidden, layers, vocabulary, heads, groups, tied }),
    { task, dtype: half ? "bfloat16" : "float32" },
  );
  const text = labelled ? labelledText : { long: longText, varied: variedText, prompts }[rows];
  const answered = measured && !labelled && rows === "prompts";
  const method = full
    ? "full"
    : `{ type: lora, r: ${rank}, dropout: ${dropout}, target_modules: all-linear }`;
  const yaml = `
version: 1
model: ${folder}
task: ${task}
data:
  train: ${text(folder, 40, 2 * length)}
  eval: ${measured ? text(folder, 20, 2 * length) : "null"}
  test: ${answered ? text(folder, 24, 2 * length) : "null"}
  max_length: ${length}
method: ${method}
quantization: ${quantization === "none" ? "null" : `{ type: nf4, double_quant: ${quantization === "nf4 doubly"} }`}
train:
  max_steps: ${rows === "long" ? 2 : 5}
  batch_size: ${batch}
  micro_batch_size: ${micro}
  gradient_checkpointing: ${checkpointing}
  learning_rate: 1.0e-4
eval:
  every: end
  metrics: ${answered ? "[loss, { exact_match: { max_new_tokens: 24 } }]" : "[loss]"}
  forgetting: ${measured && rows === "varied" && !labelled ? `{ text: ${longText(folder, 12, length)}, tokens: 2000 }` : "null"}
checkpoints: { every: end }
`;
  const name = [
    `${type} ${layers}×${hidden}`,
    half ? "bf16" : "f32",
    `batch ${batch}${micro === "auto" ? "" : `/${micro}`}×${length}`,
    full ? "full" : `lora r${rank}${dropout > 0 ? " dropout" : ""}`,
    ...(quantization === "none" ? [] : [quantization]),
    ...(checkpointing ? ["checkpointing"] : []),
    ...(labelled ? [] : [`${rows} rows`]),
    ...(measured ? [answered ? "answered" : "evaluated"] : []),
  ].join(", ");
  return { name, yaml };
}

interface Sizes {
  readonly hidden: number;
  readonly layers: number;
  readonly vocabulary: number;
  readonly heads: number;
  readonly groups: number;
  readonly tied: boolean;
}

function configOf(type: Architecture, sizes: Sizes): Config {
  const { hidden, layers, vocabulary, heads, groups, tied } = sizes;
  if (type === "gpt2")
    return {
      model_type: type,
      n_embd: hidden,
      n_layer: layers,
      n_head: heads,
      n_positions: 1024,
      vocab_size: vocabulary,
    };
  const common = {
    model_type: type,
    hidden_size: hidden,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    vocab_size: vocabulary,
    max_position_embeddings: 1024,
  };
  if (type === "bert" || type === "roberta")
    return { ...common, intermediate_size: 4 * hidden, num_labels: 2, type_vocab_size: 2 };
  return {
    ...common,
    intermediate_size: 3 * hidden,
    num_key_value_heads: groups,
    head_dim: 64,
    tie_word_embeddings: tied,
  };
}

/** As many layers and programs as any, and next to nothing in them. */
async function nothing(): Promise<Drawn> {
  const sizes = { hidden: 64, layers: 12, vocabulary: 512, heads: 1, groups: 1, tied: true };
  const folder = await randomModel("nothing", configOf("llama", sizes));
  const yaml = `
version: 1
model: ${folder}
data: { train: ${longText(folder, 40, 40)}, max_length: 16 }
method: { type: lora, r: 2, target_modules: all-linear }
train: { max_steps: 4, batch_size: 1 }
checkpoints: { every: end }
`;
  return { name: "next to nothing", yaml };
}

interface Compared {
  readonly peakBytes: number;
  readonly estimatedBytes: number;
  /** Of the steps and measurements, without loading. */
  readonly seconds: number;
  readonly estimatedSeconds: number;
}

/** Plans an experiment and runs it, each in a process of its own. */
function compared({ name, yaml }: Drawn): Compared {
  const folder = mkdtempSync(join(tmpdir(), "spectune-bench-memory-"));
  try {
    const file = join(folder, "drawn.peft.yaml");
    writeFileSync(file, yaml);
    const plan = spectune(name, ["plan", file, "--json"]);
    const run = spectune(name, ["run", file, "--json"]);
    return {
      peakBytes: Number(run["peakMemoryBytes"]),
      estimatedBytes: Number(plan["peakMemoryBytes"]),
      seconds: secondsOf(String(run["runDir"])),
      estimatedSeconds: Number(plan["estimatedSeconds"]),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What its steps and measurements took. */
function secondsOf(runFolder: string): number {
  const lines = readFileSync(eventsFile(runFolder), "utf8").trim().split("\n");
  return lines
    .map((line): unknown => JSON.parse(line))
    .filter(isRecord)
    .filter(({ type }) => type === "step" || type === "eval")
    .reduce((sum, { seconds }) => sum + Number(seconds), 0);
}

const program = join(import.meta.dirname, "../../src/cli/spectune.ts");

/** The last line that a command prints, as JSON. */
function spectune(name: string, args: readonly string[]): Readonly<Record<string, unknown>> {
  const child = spawnSync(process.execPath, [program, ...args], { encoding: "utf8" });
  const result: unknown = JSON.parse(child.stdout.trim().split("\n").at(-1) || "null");
  if (child.status !== 0 || !isRecord(result))
    throw new Error(`${name}: code ${String(child.status)}: ${child.stderr}`);
  return result;
}

/** Estimate and peak of all configurations, or of the one whose number is given in the environment. */
export async function memory(): Promise<unknown> {
  const only = process.env["SPECTUNE_BENCH_INDEX"];
  const rows: (Compared & { readonly name: string; readonly ratio: number })[] = [];
  for (let index = 0; index < count; index++) {
    if (only !== undefined && Number(only) !== index) continue;
    const configuration = await drawn(index);
    const measured = compared(configuration);
    const ratio = measured.estimatedBytes / measured.peakBytes;
    rows.push({ name: configuration.name, ratio, ...measured });
    process.stderr.write(`${index} ${ratio.toFixed(3)} ${configuration.name}\n`);
  }
  const small = await nothing();
  const floors = Array.from({ length: 3 }, () => {
    const { peakBytes, estimatedBytes } = compared(small);
    return peakBytes - (estimatedBytes - processFloor);
  });
  const ratios = rows.map(({ ratio }) => ratio);
  return {
    least: Math.min(...ratios),
    most: Math.max(...ratios),
    // What the constant of the plan should be.
    floorBytes: floors,
    rows,
  };
}
