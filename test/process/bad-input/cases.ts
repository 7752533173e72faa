/** @file Every wrong input that a run refuses, with what it says of it. */
import { rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isRecord } from "../../../src/shared/wire.ts";
import { invariant } from "../../../src/shared/errors.ts";
import { tinyLlama, writeTinyModel } from "../../support/workspace.ts";
import type { Spoil } from "./spoil.ts";
import { config, down, offsetOf, put, spoilWeights, weights, write } from "./spoil.ts";

export interface Case {
  readonly name: string;
  readonly spoil: Spoil;
  readonly code: string;
  /** The message and its remedy. */
  readonly says: RegExp;
  /** The file that is named, with the line where there is one. */
  readonly place?: string;
}

/** A device that this platform never has. */
const elsewhere = process.platform === "darwin" ? "dml" : "coreml";

export const cases: readonly Case[] = [
  {
    name: "a misspelt field",
    spoil: put("batch_size: 8", "batch_sise: 8"),
    code: "unknown-field",
    says: /batch_sise[^]*batch_size/,
    place: "a.peft.yaml:5:",
  },
  {
    name: "a wrong type",
    spoil: put("batch_size: 8", "batch_size: [8]"),
    code: "wrong-type",
    says: /batch_size/,
    place: "a.peft.yaml:5:",
  },
  {
    name: "more epochs than anything could run",
    spoil: put("max_steps: 2", "num_train_epochs: 1.0e308"),
    code: "out-of-bounds",
    says: /num_train_epochs[^]*at most 1000000/,
    place: "a.peft.yaml:5:",
  },
  {
    name: "more steps than anything could run",
    spoil: put("max_steps: 2", "max_steps: 1000000000000"),
    code: "out-of-bounds",
    says: /max_steps[^]*at most 1000000000/,
    place: "a.peft.yaml:5:",
  },
  {
    name: "more memory than the machine has",
    spoil: put("r: 4", "r: 100000000"),
    code: "memory-over-machine",
    says: /takes about [\d.]+ GB of memory; this machine has [\d.]+ GB[^]*over_memory: allow/,
    place: "a.peft.yaml:5:",
  },
  {
    name: "a rank that a decomposition of the smallest layer cannot fill",
    spoil: put("r: 4", "r: 40, init: pissa"),
    code: "rank-of-decomposition",
    says: /a decomposition[^]*\n {2}.*at most \d+.*rank_pattern/i,
    place: "a.peft.yaml:4:",
  },
  {
    name: "an optimizer that uses up gradients, with several batches in memory",
    spoil: put("batch_size: 8", "batch_size: 8, micro_batch_size: 4, optimizer: lomo"),
    code: "consumed-with-several-batches",
    says: /lomo and micro_batch_size: 4[^]*\n {2}Make train.batch_size/,
    place: "a.peft.yaml:5:",
  },
  {
    name: "an experiment that is no YAML",
    spoil: put("data: {", "data: [{"),
    code: "yaml-syntax",
    says: /error/,
    place: "a.peft.yaml:",
  },
  {
    name: "targets that match nothing",
    spoil: put("all-linear", "[query, value]"),
    code: "no-target-matches",
    says: /query[^]*q_proj/,
    place: "a.peft.yaml:4:",
  },
  {
    name: "targets of which only some match",
    spoil: put("all-linear", "[q_proj, v_prj]"),
    code: "target-without-match",
    says: /v_prj[^]*v_proj/,
    place: "a.peft.yaml:4:",
  },
  {
    name: "an expression that is none",
    spoil: put("all-linear", "'(q_proj'"),
    code: "regex-invalid",
    says: /\(q_proj/,
    place: "a.peft.yaml:4:56: ",
  },
  {
    name: "an expression that takes for ever",
    spoil: put("all-linear", "'(([a-z_.0-9]+)+)+!'"),
    code: "regex-too-slow",
    says: /took|time|long|slow/,
    place: "a.peft.yaml:4:56: ",
  },
  {
    name: "full fine-tuning of a quantized base",
    spoil: put(
      "method: { type: lora, r: 4, alpha: 2r, target_modules: all-linear }",
      "method: full\nquantization: nf4",
    ),
    code: "quantized-base-changes",
    says: /quantiz/,
  },
  {
    name: "a device that is not offered",
    spoil: put("threads: 1", `device: ${elsewhere}`),
    code: "device-not-in-build",
    says: /run\.device/,
  },
  {
    name: "a metric without a meaning",
    spoil: put("every: end", "every: end, metrics: [pearson]"),
    code: "metric-not-for-task",
    says: /pearson/,
  },
  {
    name: "an experiment that is not there",
    spoil: () => undefined,
    code: "no-such-file",
    says: /b\.peft\.yaml/,
  },
  {
    name: "a model that is not there",
    spoil: put("./model", "./modle"),
    code: "model-not-found",
    says: /modle/,
  },
  {
    name: "training data that are not there",
    spoil: put("./train.jsonl", "./trian.jsonl"),
    code: "missing-data-file",
    says: /trian\.jsonl/,
  },
  {
    name: "test data that are not there",
    spoil: put("eval: ./eval.jsonl", "eval: ./eval.jsonl, test: ./tset.jsonl"),
    code: "no-such-file",
    says: /tset\.jsonl/,
  },
  {
    name: "empty data",
    spoil: write("train.jsonl", "\n\n"),
    code: "empty-data",
    says: /no rows/,
    place: "train.jsonl",
  },
  {
    name: "a malformed line",
    spoil: write("train.jsonl", '{"prompt":"a","completion":"b"}\n{"prompt":\n'),
    code: "malformed-data",
    says: /JSON/,
    place: "train.jsonl:2",
  },
  {
    name: "a line without the column",
    spoil: write("train.jsonl", '{"prompt":"a","completion":"b"}\n{"prompt":"a"}\n'),
    code: "missing-column",
    says: /completion/,
    place: "train.jsonl:2",
  },
  {
    name: "evaluation data with a malformed line",
    spoil: write("eval.jsonl", '{"prompt":"a","completion":"b"}\n[]\n'),
    code: "malformed-data",
    says: /object|column/,
    place: "eval.jsonl:2",
  },
  {
    name: "an example longer than allowed",
    spoil: (folder, experiment) => {
      write("train.jsonl", `{"prompt":"${"a".repeat(70)}","completion":"b"}\n`)(folder, experiment);
      return put("max_length: 64", "max_length: 64, too_long: error")(folder, experiment);
    },
    code: "example-too-long",
    says: /too_long/,
    place: "train.jsonl:1",
  },
  {
    name: "a length that the model cannot read",
    spoil: put("max_length: 64", "max_length: 65, too_long: error"),
    code: "longer-than-model",
    says: /65[^]*64/,
  },
  {
    name: "an unknown architecture",
    spoil: config({ model_type: "mamba" }),
    code: "unknown-architecture",
    says: /mamba[^]*llama/,
    place: "config.json",
  },
  {
    name: "an unsupported value of the configuration",
    spoil: config({ rope_scaling: { rope_type: "yarn", factor: 2 } }),
    code: "unsupported-model-config",
    says: /yarn/,
    place: "config.json",
  },
  {
    name: "a configuration that is no JSON",
    spoil: write("model/config.json", "{"),
    code: "malformed-json",
    says: /JSON/,
    place: "config.json",
  },
  {
    name: "a model without a tokenizer",
    spoil: (folder) => {
      rmSync(join(folder, "model/tokenizer.json"));
      return undefined;
    },
    code: "missing-tokenizer",
    says: /tokenizer\.json/,
  },
  {
    name: "a tokenizer that exceeds the embedding",
    spoil: (folder) => {
      writeTinyModel(join(folder, "model"), { ...tinyLlama, vocab_size: 200 }, "causal-lm");
      return undefined;
    },
    code: "tokenizer-exceeds-embedding",
    says: /261[^]*200/,
  },
  {
    name: "weights that are not there",
    spoil: (folder) => {
      rmSync(join(folder, weights));
      return undefined;
    },
    code: "weights-not-found",
    says: /safetensors/,
  },
  {
    name: "truncated weights",
    spoil: (folder) => {
      truncateSync(join(folder, weights), 60_000);
      return undefined;
    },
    code: "truncated-weights",
    says: /bytes/,
    place: "model.safetensors",
  },
  {
    name: "a header that claims to be huge",
    spoil: spoilWeights(() => new Uint8Array(64).fill(0x7f)),
    code: "weights-header-too-large",
    says: /header/,
    place: "model.safetensors",
  },
  {
    name: "tensors that overlap",
    spoil: spoilWeights((header) => {
      const entry = header[down];
      invariant(isRecord(entry) && Array.isArray(entry["data_offsets"]), down);
      const [from, to] = entry["data_offsets"].map(Number);
      header[down] = { ...entry, data_offsets: [(from ?? 0) - 8, (to ?? 0) - 8] };
      return undefined;
    }),
    code: "overlapping-tensors",
    says: /overlap|offset|byte/,
    place: "model.safetensors",
  },
  {
    name: "a missing tensor",
    spoil: (folder) => {
      writeTinyModel(join(folder, "model"), tinyLlama, "causal-lm", /layers\.1\.mlp\.down_proj/);
      return undefined;
    },
    code: "weights-of-another-model",
    says: /layers\.1\.mlp\.down_proj/,
  },
  {
    name: "a tensor of another shape",
    spoil: config({ intermediate_size: 40 }),
    code: "weights-of-another-model",
    says: /\[48, 32\] and not \[40, 32\]/,
    place: "model",
  },
  {
    name: "a missing shard",
    spoil: (folder) => {
      const index = { metadata: {}, weight_map: { [down]: "model-00002-of-00002.safetensors" } };
      rmSync(join(folder, weights));
      writeFileSync(join(folder, "model/model.safetensors.index.json"), JSON.stringify(index));
      return undefined;
    },
    code: "missing-shard",
    says: /model-00002-of-00002/,
  },
  {
    name: "NaN in a frozen weight",
    spoil: spoilWeights((header, data) => {
      data.writeFloatLE(NaN, offsetOf(header, down) + 4 * 49);
      return undefined;
    }),
    code: "non-finite-weights",
    says: /down_proj[^]*\[1, 1\]/,
    place: "model.safetensors",
  },
  {
    name: "an infinite weight in full fine-tuning",
    spoil: (folder, experiment) => {
      spoilWeights((header, data) => {
        data.writeFloatLE(-Infinity, offsetOf(header, "model.norm.weight"));
        return undefined;
      })(folder, experiment);
      return put("{ type: lora, r: 4, alpha: 2r, target_modules: all-linear }", "full")(
        folder,
        experiment,
      );
    },
    code: "non-finite-weights",
    says: /model\.norm\.weight[^]*\[0\]/,
    place: "model.safetensors",
  },
];

/** What only reading the weights themselves, or tokenizing every example, can tell; and what a check but warns of. */
export const runAlone: readonly string[] = [
  "more memory than the machine has",
  "a line without the column",
  "an example longer than allowed",
  "a length that the model cannot read",
  "NaN in a frozen weight",
  "an infinite weight in full fine-tuning",
];
