/** @file What can train beside plain LoRA: stopped and resumed to the same bytes, exported, and measured alike when read again. */
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { loadEvents } from "../../../src/engine/runs/events-log.ts";
import type { Task } from "../../../src/engine/models/architecture.ts";
import { isRecord } from "../../../src/shared/wire.ts";
import { lastLine, spectune } from "../../support/command-line.ts";
import { assertSameEnd, runWorkspace } from "../../support/run-ends.ts";
import type { Config } from "../../support/workspace.ts";
import {
  makeWorkspace,
  tinyBert,
  tinyExperiment,
  tinyLlama,
  tinyRows,
  writeTinyModel,
  writeWordTokenizer,
} from "../../support/workspace.ts";

interface Case {
  readonly experiment: string;
  readonly model?: { readonly config: Config; readonly task: Task; readonly without?: RegExp };
  readonly prepare?: (folder: string) => void;
  /** Tensors that the adapter has, by the ends of their names. */
  readonly saves?: readonly string[];
  /** Whether it ends before its last step. */
  readonly endsEarly?: boolean;
}

const causal = tinyExperiment
  .replace("r: 4,", "r: 4, dropout: 0.1,")
  .replace("max_steps: 2", "max_steps: 6")
  .replace("every: end", "every: 3 steps")
  .concat("checkpoints: { every: 2 steps, keep: 2 }\n");

function put(text: string, from: string, to: string): string {
  assert.ok(text.includes(from), `the experiment has no ${from}`);
  return text.replace(from, to);
}

const classifying = `version: 1
model: ./model
task: sequence-classification
data: { train: ./train.csv, eval: ./eval.csv, labels: [blue, green, red] }
method: { type: lora, r: 4, alpha: 2r, dropout: 0.1, target_modules: all-linear }
train: { max_steps: 6, batch_size: 8, learning_rate: 1.0e-2 }
eval: { every: 3 steps, metrics: [accuracy] }
checkpoints: { every: 2 steps, keep: 2 }
run: { threads: 1, report_to: [] }
`;

const regression = put(classifying, ", labels: [blue, green, red]", "").replace(
  "metrics: [accuracy]",
  "metrics: [pearson]",
);

const colours = ["blue", "green", "red"];
const things = ["sky", "grass", "rose"];

/** Texts with a label or a number that can be learned. */
function sentences(value: (index: number) => string): (folder: string) => void {
  const table = (count: number): string =>
    [
      "text,label",
      ...Array.from({ length: count }, (_, i) => `the ${String(things[i % 3])} is,${value(i)}`),
    ].join("\n");
  return (folder) => {
    writeWordTokenizer(join(folder, "model"), ["the", "is", ...things]);
    writeFileSync(join(folder, "train.csv"), table(30));
    writeFileSync(join(folder, "eval.csv"), table(7));
  };
}

const gpt2: Config = {
  model_type: "gpt2",
  n_embd: 32,
  n_layer: 2,
  n_head: 4,
  n_positions: 64,
  vocab_size: 264,
};

const cases: Readonly<Record<string, Case>> = {
  "an encoder with its own head": {
    experiment: classifying,
    model: { config: { ...tinyBert, num_labels: 3 }, task: "sequence-classification" },
    prepare: sentences((index) => String(colours[index % 3])),
    saves: ["classifier.weight", "classifier.bias"],
  },
  "regression with a new head": {
    experiment: regression,
    model: { config: tinyBert, task: "sequence-classification", without: /^classifier/u },
    prepare: sentences((index) => String((index % 3) / 2 + 0.25)),
    saves: ["classifier.weight", "classifier.bias"],
  },
  "LoRA with every bias": {
    experiment: put(causal, "target_modules: all-linear", "target_modules: [c_attn], bias: all"),
    model: { config: gpt2, task: "causal-lm" },
    saves: ["c_attn.base_layer.bias", "ln_1.bias", "mlp.c_proj.bias", "ln_f.bias"],
  },
  "LoRA with the biases of its sites": {
    experiment: put(
      causal,
      "target_modules: all-linear",
      "target_modules: [q_proj, v_proj], bias: lora_only",
    ),
    model: { config: { ...tinyLlama, attention_bias: true }, task: "causal-lm" },
    saves: ["q_proj.base_layer.bias", "v_proj.base_layer.bias"],
  },
  packing: { experiment: put(causal, "max_length: 64", "max_length: 64, packing: true") },
  "grouping by length, with a smaller last micro-batch": {
    experiment: put(
      causal,
      "batch_size: 8",
      "batch_size: 8, micro_batch_size: 4, group_by_length: true",
    ),
    prepare: (folder) => {
      const rows = tinyRows(30, 0).trimEnd().split("\n");
      const long = rows.map((row, index) =>
        row.replace("waits", `waits${" and waits".repeat(index % 4)}`),
      );
      writeFileSync(join(folder, "train.jsonl"), long.join("\n"));
    },
  },
  "an early stop at the best": {
    experiment: put(
      put(
        causal,
        "every: 3 steps",
        "every: 1 steps, early_stop: { metric: eval.loss, patience: 2 }",
      ),
      "learning_rate: 1.0e-2",
      "learning_rate: 1.0",
    ).replace("max_steps: 6", "max_steps: 40"),
    endsEarly: true,
  },
  "gradient checkpointing with an embedding trained whole": {
    experiment: put(
      put(causal, "batch_size: 8", "batch_size: 8, gradient_checkpointing: true"),
      "target_modules: all-linear",
      "target_modules: [q_proj], modules_to_save: [embed_tokens]",
    ),
    saves: ["embed_tokens.weight"],
  },
  "full fine-tuning": {
    experiment: causal.replace(/^method:.*$/mu, "method: full"),
  },
};

describe("stopped, resumed, exported and read again", () => {
  for (const [name, { experiment, model, prepare, saves, endsEarly }] of Object.entries(cases))
    it(name, async (t) => {
      const folder = makeWorkspace(t, experiment);
      if (model) writeTinyModel(join(folder, "model"), model.config, model.task, model.without);
      prepare?.(folder);
      const alone = await runWorkspace(folder);
      assert.equal(alone.status, "finished");
      if (endsEarly === true) assert.ok(alone.steps < 40, `${alone.steps} steps`);
      const stopped = await runWorkspace(folder, { stopAfter: 1 });
      assert.equal(stopped.status, "stopped");
      assert.ok(stopped.steps < alone.steps, `${stopped.steps} steps`);
      const resumed = await runWorkspace(folder, { resume: stopped.runDir });
      assert.deepEqual([resumed.status, resumed.steps], ["finished", alone.steps]);
      await assertSameEnd(resumed.runDir, alone.runDir);
      assert.deepEqual(resumed.evalAfter, alone.evalAfter);

      const weights = join(alone.runDir, "adapter/adapter_model.safetensors");
      const header = existsSync(weights) ? readFileSync(weights, "latin1") : "";
      for (const end of saves ?? []) assert.ok(header.includes(`${end}"`), `no ${end} is saved`);
      const data = existsSync(join(folder, "eval.csv")) ? "eval.csv" : "eval.jsonl";
      const again = await spectune(folder, "eval", alone.runDir, "--data", data, "--json");
      assert.equal(again.code, 0, again.err);
      const metrics = lastLine(again)["metrics"];
      assert(isRecord(metrics));
      const after = await lastMeasurement(alone.runDir);
      for (const [metric, value] of Object.entries(after))
        assert.ok(
          Math.abs(Number(metrics[metric]) - value) <= 1e-5 * (1 + Math.abs(value)),
          `${metric} ${String(metrics[metric])}, not ${value}`,
        );
    });
});

async function lastMeasurement(run: string): Promise<Readonly<Record<string, number>>> {
  const { value: events } = await loadEvents(run);
  const measured = events.flatMap((event) => (event.type === "eval" ? [event.metrics] : []));
  return measured.at(-1) ?? {};
}
