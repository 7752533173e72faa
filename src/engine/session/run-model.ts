/** @file The model that a run made, as far as it came; and what a model is for where nobody says so. */
import { basename, join } from "node:path";
import { UserError } from "../../shared/errors.ts";
import type { Experiment } from "../../shared/experiment/fields/experiment-fields.ts";
import { isRecord } from "../../shared/wire.ts";
import type { OpenAdapter } from "../adapters/load-peft.ts";
import { openAdapter } from "../adapters/load-peft.ts";
import { ownAdapterFile, readOwnAdapter } from "../exports/own-adapter.ts";
import { adapterFiles } from "../exports/peft-adapter.ts";
import type { Task } from "../models/architecture.ts";
import { listCheckpoints, loadCheckpoint } from "../runs/checkpoints.ts";
import { runLayout } from "../runs/run-folder.ts";
import type { ModelPlaces, ModelReference } from "../weights/hub-cache.ts";
import { referenceOf, resolveModel } from "../weights/hub-cache.ts";
import { isFile } from "../weights/on-disk.ts";
import { hasAdapter } from "./export-run.ts";
import type { InferenceModel } from "./open-for-inference.ts";
import { readJson } from "./open-model.ts";

/**
 * The adapter or merged model that the run exported; of a run that did not come so far, its newest whole
 * checkpoint. A {@link UserError} where there is none.
 */
export async function modelOfRun(
  runFolder: string,
  { model, task, method, quantization, run: device, train }: Experiment,
): Promise<InferenceModel> {
  const reference = referenceOf(model);
  const adapter = join(runFolder, runLayout.adapter);
  if (
    hasAdapter(method) &&
    ((await isFile(join(adapter, adapterFiles.config))) ||
      (await isFile(join(adapter, ownAdapterFile))))
  )
    return {
      reference,
      task,
      quantization,
      device,
      trained: { kind: "adapter", folder: adapter },
    };
  const merged = join(runFolder, runLayout.merged);
  if (!hasAdapter(method) && (await isFile(join(merged, "config.json"))))
    return {
      reference: { id: merged },
      task,
      quantization: null,
      device,
      trained: { kind: "none" },
    };
  const folder = await newestCheckpoint(runFolder);
  return {
    reference,
    task,
    quantization,
    device,
    trained: { kind: "checkpoint", folder, method, seed: train.seed },
  };
}

async function newestCheckpoint(runFolder: string): Promise<string> {
  for (const step of (await listCheckpoints(runFolder)).toReversed()) {
    const { value } = await loadCheckpoint(runFolder, step);
    if (value) return value.folder;
  }
  throw new UserError({
    code: "nothing-trained",
    message: `${runFolder} has neither an adapter nor a merged model nor a checkpoint.`,
    place: { file: runFolder },
    remedy: `Go on with the run: \`spectune run --resume ${basename(runFolder)}\`.`,
  });
}

/** The base and the task that are meant: what is not given is told by the adapter, then by the model's config.json. */
export async function completedChoice(
  given: {
    readonly reference: ModelReference | undefined;
    readonly adapter: string | undefined;
    readonly task: Task | undefined;
  },
  places: ModelPlaces,
): Promise<{ readonly reference: ModelReference; readonly task: Task }> {
  const config = given.adapter === undefined ? undefined : await adapterConfig(given.adapter);
  const { baseModel: id, revision } = config ?? {};
  const named = id === undefined ? undefined : referenceOf({ id, revision });
  const reference = given.reference ?? named;
  if (reference === undefined)
    throw new UserError({
      code: "no-base-model",
      message: "Neither the command nor the adapter says which base model is meant.",
      remedy: "Give it as --model: a folder, or a hub id in the local cache.",
    });
  const task = given.task ?? config?.task ?? (await taskOf(reference, places));
  return { reference, task };
}

async function adapterConfig(
  folder: string,
): Promise<Pick<OpenAdapter["config"], "baseModel" | "revision" | "task">> {
  const own = await readOwnAdapter(folder);
  if (own) {
    const { id, revision } = own.model;
    return { baseModel: id, revision: revision ?? undefined, task: own.task };
  }
  const { config, source } = await openAdapter(folder);
  await source.close();
  return config;
}

/** What a checkpoint's own head is for; encoders have no other use here. */
async function taskOf(reference: ModelReference, places: ModelPlaces): Promise<Task> {
  const { folder } = await resolveModel(reference, places);
  const config = await readJson(join(folder, "config.json"));
  if (!isRecord(config)) return "causal-lm";
  const { architectures, model_type: type } = config;
  const [name] = Array.isArray(architectures) ? architectures.map(String) : [];
  const classifies = name?.endsWith("ForSequenceClassification") === true;
  return classifies || type === "bert" || type === "roberta"
    ? "sequence-classification"
    : "causal-lm";
}
