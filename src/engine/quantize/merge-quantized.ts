/** @file Merges an adapter that was trained on a quantized base: into the float weights that it was made from, or into quantized ones again. */
import { existsSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { at, UserError } from "../../shared/errors.ts";
import { isRecord, parseJson } from "../../shared/wire.ts";
import { quantizers } from "../catalog.ts";
import { defaultsOf } from "../config.ts";
import { loadTokenizer } from "../data/tokenizer/load-tokenizer.ts";
import type { CalibrationBatch } from "../network/calibration.ts";
import { openRunData } from "../session/run-data.ts";
import type { OpenInference } from "../session/open-for-inference.ts";
import { openWeights } from "../weights/weight-source.ts";
import type { UpdateFidelity } from "./merge-fidelity.ts";
import { updateFidelity } from "./merge-fidelity.ts";
import type { QuantizeJob } from "./quantize-model.ts";
import { quantizeModel } from "./quantize-model.ts";
import { calibrationText } from "./windows.ts";
import { recordFile } from "./write-folder.ts";

/** What `spectune quantize` said of a folder when it made it. */
export interface QuantizedRecord {
  readonly model: { readonly id: string; readonly revision?: string };
  readonly quantizer: QuantizeJob["quantizer"];
  readonly calibration: QuantizeJob["calibration"];
}

/** Undefined for folders that it did not make. */
export async function recordOf(folder: string): Promise<QuantizedRecord | undefined> {
  const file = join(folder, recordFile);
  if (!existsSync(file)) return undefined;
  const record = parseJson(await readFile(file, "utf8"));
  if (!isRecord(record) || !isRecord(record["model"]) || !isRecord(record["quantizer"]))
    return undefined;
  const { id, revision } = record["model"];
  const { type, config } = record["quantizer"];
  if (typeof id !== "string" || typeof type !== "string" || !isRecord(config)) return undefined;
  return {
    model: { id, ...(typeof revision === "string" && { revision }) },
    quantizer: { type, config },
    calibration: calibrationOf(record["calibration"]),
  };
}

function calibrationOf(value: unknown): QuantizeJob["calibration"] {
  if (!isRecord(value)) return undefined;
  const { file, samples, length, seed } = value;
  return typeof file === "string" &&
    typeof samples === "number" &&
    typeof length === "number" &&
    typeof seed === "number"
    ? { file, samples, length, seed }
    : undefined;
}

/** Whether an adapter of a base so quantized reads and gives what it would in the original: not where channels were scaled or turned. */
export function keepsChannels({ type, config }: QuantizedRecord["quantizer"]): boolean {
  const row = quantizers.find(({ name }) => name === type);
  if (!row) return true;
  const { folds, rotates } = row.bind({ ...defaultsOf(row), ...config });
  return !folds && !rotates;
}

/** The share of the update in what was merged into an original, whose weights may be stored in 16 bits. */
export async function originalFidelity(
  baseFolder: string,
  exactFolder: string,
  mergedFolder: string,
): Promise<UpdateFidelity> {
  return fidelityOf([baseFolder, exactFolder, mergedFolder]);
}

/** Quantizes a merged float folder into `job.out`, and removes it. How much of the update survives is not told where channels change. */
export async function quantizeMerged(
  job: QuantizeJob,
  floatFolder: string,
): Promise<UpdateFidelity | undefined> {
  const { calibration } = job;
  if (calibration && !existsSync(calibration.file))
    throw new UserError({
      code: "no-calibration-data",
      message: `The base was quantized by ${calibration.file}, which is not there.`,
      remedy: "Put it back, or merge into the original weights.",
    });
  await quantizeModel(
    { ...job, reference: { id: floatFolder } },
    { now: () => performance.now(), onProgress: () => undefined },
  );
  try {
    if (!keepsChannels(job.quantizer)) return undefined;
    return await fidelityOf([job.reference.id, floatFolder, job.out]);
  } finally {
    await rm(floatFolder, { recursive: true, force: true });
  }
}

/** Of folders of the base, of base and update in float32, and of what was written. */
async function fidelityOf(folders: readonly string[]): Promise<UpdateFidelity> {
  const sources = await Promise.all(folders.map(openWeights));
  try {
    return await updateFidelity(at(sources, 0), at(sources, 1), at(sources, 2));
  } finally {
    await Promise.all(sources.map((source) => source.close()));
  }
}

/** Text to compare logits on: what the base was calibrated on, or a data file. */
export async function fidelityText(
  open: OpenInference,
  experiment: QuantizeJob["experiment"],
  file: string,
): Promise<readonly CalibrationBatch[]> {
  const { model } = open.trained.setup;
  const settings = {
    ...experiment,
    data: { ...experiment.data, train: file, eval: null, test: null },
    eval: { ...experiment.eval, forgetting: null },
  };
  const tokenizer = await loadTokenizer(open.opened.resolved.folder);
  const { train } = await openRunData(settings, model, tokenizer, { now: new Date() });
  const length = Math.min(256, model.sizes.maxLength);
  const tokens = train.examples.starts[train.examples.count] ?? 0;
  const samples = Math.max(1, Math.min(16, Math.floor(tokens / length)));
  return calibrationText(
    train.examples,
    model,
    { samples, length: Math.min(length, tokens), seed: 0 },
    file,
  ).calibration;
}
