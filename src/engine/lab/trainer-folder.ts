/** @file An output folder of Hugging Face's Trainer: its `checkpoint-*` in the order of their steps, and its log. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../../shared/errors.ts";
import { isRecord, parseJson } from "../../shared/wire.ts";
import { adapterFiles } from "../exports/peft-adapter.ts";
import { unlessMissing } from "../runs/file-errors.ts";
import { indexName, singleName } from "../weights/locate-weights.ts";

export interface CheckpointFolder {
  readonly step: number;
  readonly folder: string;
  readonly kind: "adapter" | "model";
}

/** A line of `log_history`. */
export interface LoggedPoint {
  readonly step: number;
  readonly values: Readonly<Record<string, number>>;
}

export interface TrainerFolder {
  readonly checkpoints: readonly CheckpointFolder[];
  readonly log: readonly LoggedPoint[];
}

/** A {@link UserError} where nothing in the folder is a checkpoint with weights that can be read. */
export async function readTrainerFolder(folder: string): Promise<TrainerFolder> {
  const names = (await unlessMissing(readdir(folder))) ?? [];
  const steps = names
    .flatMap((name) => /^checkpoint-(\d{1,15})$/.exec(name)?.[1] ?? [])
    .map(Number)
    .toSorted((a, b) => a - b);
  const checkpoints: CheckpointFolder[] = [];
  for (const step of steps) {
    const path = join(folder, `checkpoint-${step}`);
    const files = new Set(await readdir(path).catch(() => []));
    if (files.has(adapterFiles.weights)) checkpoints.push({ step, folder: path, kind: "adapter" });
    else if (files.has(singleName) || files.has(indexName))
      checkpoints.push({ step, folder: path, kind: "model" });
  }
  if (checkpoints.length === 0)
    throw new UserError({
      code: "no-checkpoints",
      message:
        steps.length === 0
          ? `${folder} has no checkpoint-* folders.`
          : `None of the ${steps.length} checkpoint-* folders in ${folder} holds safetensors weights.`,
      place: { file: folder },
      remedy:
        "Give the output_dir of a Hugging Face Trainer (save_safetensors, which is its default), or a run of ours by --run.",
    });
  return { checkpoints, log: await readLog(folder, checkpoints) };
}

/** The newest `trainer_state.json`, of the folder itself or of its last checkpoint. */
async function readLog(
  folder: string,
  checkpoints: readonly CheckpointFolder[],
): Promise<readonly LoggedPoint[]> {
  const places = [folder, ...checkpoints.map(({ folder: path }) => path).toReversed()];
  for (const place of places) {
    const text = await unlessMissing(readFile(join(place, "trainer_state.json"), "utf8"));
    const state = text === undefined ? undefined : parseJson(text);
    const history = isRecord(state) ? state["log_history"] : undefined;
    if (!Array.isArray(history)) continue;
    return history.flatMap((entry: unknown): readonly LoggedPoint[] => {
      if (!isRecord(entry) || typeof entry["step"] !== "number") return [];
      const values = Object.entries(entry).flatMap(([key, value]): readonly [string, number][] =>
        key !== "step" && typeof value === "number" ? [[key, value]] : [],
      );
      return [{ step: entry["step"], values: Object.fromEntries(values) }];
    });
  }
  return [];
}
