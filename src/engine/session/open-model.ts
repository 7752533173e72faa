/** @file Opens a model folder: config.json, weights by header, and what does not fit together. */
import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import type { OtherEncoding } from "../../shared/encoding.ts";
import { decodeUtf8 } from "../../shared/encoding.ts";
import { UserError } from "../../shared/errors.ts";
import type { Finding } from "../../shared/findings.ts";
import type { HeadOutputs, Model, Task } from "../models/architecture.ts";
import { readModel } from "../models/registry.ts";
import type { ModelPlaces, ModelReference, ResolvedModel } from "../weights/hub-cache.ts";
import { resolveModel } from "../weights/hub-cache.ts";
import type { WeightSource } from "../weights/weight-source.ts";
import { openWeights } from "../weights/weight-source.ts";
import { throwErrors } from "../weights/read-errors.ts";

export interface OpenModel {
  readonly resolved: ResolvedModel;
  readonly model: Model;
  readonly source: WeightSource;
  /** config.json as it stands, for saving a merged model. */
  readonly config: unknown;
  readonly findings: readonly Finding[];
}

/** Finds and opens a model for a task; `outputs` are those of a classification head that is not the checkpoint's. The caller closes `source`. */
export async function openModel(
  reference: ModelReference,
  task: Task,
  places: ModelPlaces,
  outputs?: HeadOutputs,
): Promise<OpenModel> {
  const resolved = await resolveModel(reference, places);
  const file = join(resolved.folder, "config.json");
  const config = await readJson(file);
  const { value: model, findings } = readModel(config, file, task, outputs);
  throwErrors(findings);
  if (!model)
    throw new UserError({
      code: "model-config",
      message: `${file} cannot be used.`,
      place: { file },
      remedy: "Take the file again from where it came from.",
    });
  const source = await openWeights(resolved.folder);
  return { resolved, model, source, config, findings: [...findings, ...source.findings] };
}

/** A JSON file of a model folder. */
export async function readJson(file: string): Promise<unknown> {
  let text: string | OtherEncoding;
  try {
    text = decodeUtf8(await readFile(file));
  } catch (error) {
    throw new UserError({
      code: "missing-model-file",
      message: `${file} cannot be read.`,
      place: { file },
      remedy: basename(file).startsWith("adapter_")
        ? "An adapter folder has adapter_config.json beside its weights; whole weights are what `spectune spectra` and `intruders` take with --tuned."
        : "A model folder has config.json, tokenizer.json and safetensors weights.",
      cause: error,
    });
  }
  if (typeof text !== "string")
    throw new UserError({
      code: "malformed-json",
      message: `${file} is ${text.message}.`,
      place: { file },
      remedy: text.remedy,
    });
  try {
    return JSON.parse(text.replace(/^\ufeff/, ""));
  } catch (error) {
    throw new UserError({
      code: "malformed-json",
      message: `${file} is no JSON: ${error instanceof Error ? error.message : ""}`,
      place: { file },
      remedy: "Take the file again from where it came from.",
      cause: error,
    });
  }
}
