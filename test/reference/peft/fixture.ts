/** @file Adapters as peft saves them and what peft makes of them: the form of `fixtures/*.json`. */
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { isRecord } from "../../../src/shared/wire.ts";
import type { Fill } from "../deterministic.ts";
import { causalNames, classifierNames, isFill, isListOf } from "../models/fixture.ts";
import type { Batch, FixtureName, Forward } from "../models/fixture.ts";

export interface AdapterFixture {
  readonly name: string;
  /** The model fixture whose `config` and `tensors` are the base. */
  readonly base: FixtureName;
  readonly task: "causal-lm" | "sequence-classification";
  readonly versions: Readonly<Record<string, string>>;
  /** Fields of `config` whose value goes beyond plain LoRA: a loader honours each or refuses it by name. */
  readonly beyond: readonly string[];
  /** adapter_config.json. */
  readonly config: Readonly<Record<string, unknown>>;
  /** For each adapted module, the scale that peft applies to B A. */
  readonly scaling: Readonly<Record<string, number>>;
  /** adapter_model.safetensors; a frozen embedding saved beside its factors is the base's (`seedName`). */
  readonly tensors: readonly Fill[];
  /** Two short sequences. */
  readonly batch: Batch;
  /** Of the base with the adapter, as peft loads it from the folder. */
  readonly forward: Forward;
}

/** A field of peft's LoraConfig at the pinned version. */
export interface LoraConfigField {
  readonly name: string;
  /** Its Python type, as text. */
  readonly type: string;
  readonly default: unknown;
}

const folder = join(import.meta.dirname, "fixtures");

/** Names of the committed adapters. */
export function adapterNames(): readonly string[] {
  return readdirSync(folder)
    .map((file) => file.replace(/\.json$/, ""))
    .toSorted();
}

/** Reads a committed adapter. */
export function loadAdapterFixture(name: string): AdapterFixture {
  const json: unknown = JSON.parse(readFileSync(join(folder, `${name}.json`), "utf8"));
  assert(isAdapterFixture(json), `the adapter ${name} has not the form of a fixture`);
  return json;
}

/** Every field of LoraConfig, and the names of those that a saved adapter_config.json has. */
export function loadLoraConfigFields(): {
  readonly fields: readonly LoraConfigField[];
  readonly saved: readonly string[];
} {
  const path = join(import.meta.dirname, "lora-config-fields.json");
  const json: unknown = JSON.parse(readFileSync(path, "utf8"));
  assert(isFieldList(json), `${path} is not a list of fields`);
  return json;
}

function isFieldList(
  json: unknown,
): json is { readonly fields: readonly LoraConfigField[]; readonly saved: readonly string[] } {
  return (
    isRecord(json) &&
    isListOf(json["fields"], (row) => isRecord(row) && typeof row["name"] === "string") &&
    isListOf(json["saved"], (name) => typeof name === "string")
  );
}

function isAdapterFixture(json: unknown): json is AdapterFixture {
  return (
    isRecord(json) &&
    [...causalNames, ...classifierNames].some((name) => name === json["base"]) &&
    [json["config"], json["scaling"], json["batch"], json["forward"]].every(isRecord) &&
    isListOf(json["beyond"], (name) => typeof name === "string") &&
    isListOf(json["tensors"], isFill)
  );
}
