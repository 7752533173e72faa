/** @file What PyTorch, transformers and peft made of a small model: the form of `fixtures/*.json`. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isRecord } from "../../../src/shared/wire.ts";
import type { Fill } from "../deterministic.ts";

/** Causal models whose fixtures have every section but `quantized`. */
export const causalNames = [
  "llama",
  "llama-tied",
  "llama-rope-linear",
  "llama-rope-llama3",
  "llama-biases",
  "mistral",
  "qwen2",
  "qwen3",
  "gpt2",
] as const;

/** Encoders with a classification head; one label or three. */
export const classifierNames = [
  "bert-classes",
  "bert-pairs-regression",
  "roberta-classes",
  "roberta-regression",
] as const;

/** `llama` again with its layers' matrices replaced by their NF4 values; has no `full`. */
export const quantizedName = "llama-nf4" as const;

export type FixtureName =
  (typeof causalNames)[number] | (typeof classifierNames)[number] | typeof quantizedName;

export interface Fixture {
  readonly name: string;
  readonly task: "causal-lm" | "sequence-classification";
  readonly versions: Readonly<Record<string, string>>;
  /** config.json as the hub has it (transformers 4: `rope_theta`, `rope_scaling`, `torch_dtype`). */
  readonly config: Readonly<Record<string, unknown>>;
  /** config.json of the same model as the pinned transformers writes it (`rope_parameters`, `dtype`). */
  readonly configAsSaved: Readonly<Record<string, unknown>>;
  readonly optimizer: {
    readonly learningRate: number;
    readonly betas: readonly [number, number];
    readonly eps: number;
    readonly weightDecay: number;
    readonly maxGradNorm: number;
  };
  /** The checkpoint, under its names; tied matrices once. `decays`: not a bias or norm, as Trainer has it. */
  readonly tensors: readonly (Fill & { readonly decays: boolean })[];
  /** Training takes them in turn: step s uses batch s mod 3. Everything else uses the first. */
  readonly batches: readonly Batch[];
  /** Of the base alone. */
  readonly forward: Forward;
  /** Full fine-tuning. */
  readonly full?: { readonly gradients: Gradients; readonly training: Training };
  /** LoRA, r 4, alpha 8, no dropout, on every linear layer but the head (peft's `all-linear`). */
  readonly lora: LoraSection;
  /** Greedy continuations; only `llama` and `gpt2`. */
  readonly generation?: readonly Generation[];
  /** Several documents in one row; only `llama`. */
  readonly packing?: Packing;
  /** The NF4 values of the replaced matrices; only `llama-nf4`. */
  readonly quantized?: readonly Summary[];
}

/** Rows of one width, padded on the right. */
export interface Batch {
  readonly inputIds: readonly (readonly number[])[];
  readonly attentionMask: readonly (readonly number[])[];
  readonly tokenTypeIds?: readonly (readonly number[])[];
  /** Causal: a row for each sequence, not yet shifted, −100 without loss. Classifier: a number for each. */
  readonly labels: readonly (readonly number[])[] | readonly number[];
}

/** Causal: [sequence][token that is no padding][vocabulary]; classifier: [sequence][label]. */
export type Logits = readonly (readonly (readonly number[])[])[] | readonly (readonly number[])[];

export interface Forward {
  readonly logits: Logits;
  /** The mean over labels that are not −100, after the shift; cross entropy or mean squared error. */
  readonly loss: number;
}

/** A tensor in few numbers; indices are row-major and ascending. */
export interface Summary {
  readonly name: string;
  readonly norm: number;
  readonly sum: number;
  readonly indices: readonly number[];
  readonly values: readonly number[];
}

export interface Gradients {
  /** Over all trained parameters, before clipping. */
  readonly norm: number;
  readonly parameters: readonly Summary[];
}

/** Ten steps; each number is of before the step's update, norms of before clipping. */
export interface Training {
  readonly losses: readonly number[];
  readonly gradientNorms: readonly number[];
}

export interface LoraSection {
  /** adapter_config.json as peft writes it. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Module names of the adapted layers. */
  readonly sites: readonly string[];
  /** All trained tensors under their names in adapter_model.safetensors; heads start as the base's. */
  readonly tensors: readonly Fill[];
  readonly forward: Forward;
  readonly gradients: Gradients;
  readonly training: Training;
  /** The same with rsLoRA's scale, alpha / √r. */
  readonly trainingRsLora: Training;
}

export interface Generation {
  readonly prompt: readonly number[];
  readonly ids: readonly number[];
  /** The least lead of a chosen token's logit over the second best. */
  readonly margin: number;
}

/** Positions start again with each document, attention stays within it, its first token has no loss. */
export interface Packing {
  readonly documents: readonly (readonly number[])[];
  readonly inputIds: readonly (readonly number[])[];
  readonly positionIds: readonly (readonly number[])[];
  readonly labels: readonly (readonly number[])[];
  readonly logits: readonly (readonly (readonly number[])[])[];
  readonly loss: number;
  /** Of full fine-tuning, over all parameters. */
  readonly gradientNorm: number;
}

/** Reads a committed fixture. */
export function loadFixture(name: FixtureName): Fixture {
  const path = join(import.meta.dirname, "fixtures", `${name}.json`);
  const json: unknown = JSON.parse(readFileSync(path, "utf8"));
  assert(isFixture(json), `${path} has not the form of a fixture`);
  return json;
}

/** Checks what a stale or cut file would get wrong, not every number. */
function isFixture(json: unknown): json is Fixture {
  return (
    isRecord(json) &&
    (json["task"] === "causal-lm" || json["task"] === "sequence-classification") &&
    [json["versions"], json["config"], json["configAsSaved"], json["optimizer"]].every(isRecord) &&
    isListOf(json["tensors"], (row) => isFill(row) && "decays" in row) &&
    isListOf(
      json["batches"],
      (row) => isRecord(row) && Array.isArray(row["inputIds"]) && Array.isArray(row["labels"]),
    ) &&
    isForward(json["forward"]) &&
    (json["full"] === undefined || isTrained(json["full"])) &&
    isTrained(json["lora"]) &&
    isForward(json["lora"]["forward"]) &&
    isTraining(json["lora"]["trainingRsLora"]) &&
    isListOf(json["lora"]["tensors"], isFill)
  );
}

export function isFill(row: unknown): row is Fill {
  return (
    isRecord(row) &&
    typeof row["name"] === "string" &&
    isNumbers(row["shape"]) &&
    typeof row["scale"] === "number" &&
    typeof row["offset"] === "number"
  );
}

export function isNumbers(value: unknown): value is readonly number[] {
  return isListOf(value, (element) => typeof element === "number");
}

export function isListOf(value: unknown, holds: (element: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(holds);
}

function isForward(value: unknown): boolean {
  return isRecord(value) && Array.isArray(value["logits"]) && typeof value["loss"] === "number";
}

function isTrained(value: unknown): value is Readonly<Record<string, unknown>> {
  return (
    isRecord(value) &&
    isTraining(value["training"]) &&
    isRecord(value["gradients"]) &&
    isListOf(value["gradients"]["parameters"], isSummary)
  );
}

function isSummary(row: unknown): boolean {
  return (
    isRecord(row) &&
    typeof row["name"] === "string" &&
    isNumbers(row["indices"]) &&
    isNumbers(row["values"])
  );
}

function isTraining(value: unknown): boolean {
  return isRecord(value) && isNumbers(value["losses"]) && isNumbers(value["gradientNorms"]);
}
