/** @file Quantizers of one model side by side: what each stores, how far it is off, and what that does to perplexity and tasks. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../../shared/errors.ts";
import type { Experiment } from "../../shared/experiment/fields/experiment-fields.ts";
import type { Measured, QuantizedMatrix, QuantizeRow } from "../../shared/quantize-records.ts";
import { mean } from "../../shared/sums.ts";
import { loadTokenizer } from "../data/tokenizer/load-tokenizer.ts";
import type { CalibrationBatch } from "../network/calibration.ts";
import { makeFolder, temporaryPath } from "../runs/atomic.ts";
import { evaluateFile } from "../session/evaluate-file.ts";
import type { OpenInference } from "../session/open-for-inference.ts";
import { openForInference } from "../session/open-for-inference.ts";
import { openRunData } from "../session/run-data.ts";
import { perplexityOn } from "./perplexity.ts";
import type { QuantizedModel, QuantizeJob } from "./quantize-model.ts";
import { quantizeModel, refusePacked } from "./quantize-model.ts";
import { withIntervals } from "./task-scores.ts";
import { calibrationText } from "./windows.ts";

/** One quantizer as it was asked for. */
export interface Candidate {
  readonly label: string;
  readonly type: string;
  readonly config: Readonly<Record<string, unknown>>;
}

export interface Comparison {
  readonly job: Omit<QuantizeJob, "quantizer" | "out">;
  readonly candidates: readonly Candidate[];
  /** Data for the task's metrics. */
  readonly data: string | undefined;
  /** Where folders stand until they were measured. */
  readonly folder: string;
}

export interface Compared {
  readonly rows: readonly QuantizeRow[];
  readonly matrices: readonly QuantizedMatrix[];
}

export interface ComparisonWatch {
  readonly now: () => number;
  /** The greatest memory of the process since `reset`, in bytes. */
  readonly memory: { readonly reset: () => void; readonly bytes: () => number };
  readonly onProgress: (text: string, share: number) => void;
}

export async function compareQuantizers(
  { job, candidates, data, folder }: Comparison,
  watch: ComparisonWatch,
): Promise<Compared> {
  const steps = candidates.length + 1;
  watch.onProgress("float", 0);
  const { held, windows } = await measuring(job, data, job.reference, undefined, refusePacked);
  const rows: QuantizeRow[] = [{ label: "float", type: "float", ...held }];
  const matrices = new Map<string, QuantizedMatrix>();
  for (const [index, { label, type, config }] of candidates.entries()) {
    const share = (part: number): number => (index + 1 + part) / steps;
    watch.onProgress(label, share(0));
    // Beside what others compare at the same time, and known for what it is where this process ends.
    const place = temporaryPath(join(folder, "compared"));
    const out = join(place, "model");
    await makeFolder(place);
    try {
      watch.memory.reset();
      const started = watch.now();
      const made = await quantizedAnyhow(
        { ...job, out, quantizer: { type, config } },
        {
          now: watch.now,
          onProgress(progress) {
            watch.memory.bytes();
            if (progress.search) watch.onProgress(`${label}:  ${progress.search.what}`, share(0));
            else
              watch.onProgress(
                `${label}:  ${progress.module ?? `layer ${progress.layer + 1}`}`,
                share((progress.layer + progress.share) / progress.layers),
              );
          },
        },
      );
      const seconds = (watch.now() - started) / 1000;
      const peakBytes = watch.memory.bytes();
      const measured = await measuring(job, data, { id: out }, windows);
      rows.push({
        label,
        type,
        config,
        ...figures(made),
        seconds,
        peakBytes,
        ...measured.held,
      });
      keepErrors(matrices, label, made);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      rows.push({ label, type, config, failed: error.message });
    } finally {
      await rm(place, { recursive: true, force: true });
    }
  }
  return { rows, matrices: [...matrices.values()] };
}

/** Groups that do not divide are no reason to leave a quantizer out: the own layout holds short ones. */
async function quantizedAnyhow(
  job: QuantizeJob,
  watching: Parameters<typeof quantizeModel>[1],
): Promise<QuantizedModel> {
  try {
    return await quantizeModel(job, watching);
  } catch (error) {
    const short = error instanceof UserError && error.code === "groups-do-not-divide";
    if (!short || job.layout !== "auto") throw error;
    return quantizeModel({ ...job, layout: "spectune" }, watching);
  }
}

interface Held {
  readonly perplexity?: Measured;
  readonly task?: Readonly<Record<string, Measured>>;
}

/** Perplexity on held-out windows, and the task's metrics, of a model. */
async function measuring(
  job: Comparison["job"],
  data: string | undefined,
  reference: Comparison["job"]["reference"],
  known?: readonly CalibrationBatch[],
  check: (opened: OpenInference["opened"]) => void = () => undefined,
): Promise<{ readonly held: Held; readonly windows: readonly CalibrationBatch[] }> {
  const { task, device, places, experiment } = job;
  const open = await openForInference(
    { reference, task, device, trained: { kind: "none" }, quantization: null },
    places,
    () => undefined,
  );
  try {
    check(open.opened);
    const windows = known ?? (await heldOut(job, open));
    const scores = data === undefined ? undefined : await taskScores(open, experiment, data);
    return {
      windows,
      held: {
        ...(windows.length > 0 && { perplexity: await perplexityOn(open.context, windows) }),
        ...(scores && { task: scores }),
      },
    };
  } finally {
    await open.close();
  }
}

/** Sequences of the calibration text behind those that are calibrated on. */
async function heldOut(
  { calibration, experiment, task }: Comparison["job"],
  open: OpenInference,
): Promise<readonly CalibrationBatch[]> {
  if (!calibration || task !== "causal-lm") return [];
  const { model } = open.trained.setup;
  const settings: Experiment = {
    ...experiment,
    data: { ...experiment.data, train: calibration.file, eval: null, test: null },
    eval: { ...experiment.eval, forgetting: null },
  };
  const tokenizer = await loadTokenizer(open.opened.resolved.folder);
  const { train } = await openRunData(settings, model, tokenizer, { now: new Date() });
  const length = Math.min(calibration.length, model.sizes.maxLength);
  const { file } = calibration;
  return calibrationText(train.examples, model, { ...calibration, length }, file).heldOut;
}

async function taskScores(
  open: OpenInference,
  experiment: Experiment,
  data: string,
): Promise<Readonly<Record<string, Measured>>> {
  return withIntervals(await evaluateFile(open, experiment, data, undefined, () => undefined));
}

function figures({ layers, layout, packedBytes, weights }: QuantizedModel) {
  const matrices = layers.flatMap((layer) => layer.matrices);
  const outputs = matrices.flatMap(({ outputError }) => outputError ?? []);
  const finalError = layers.at(-1)?.outputError;
  return {
    layout,
    bytes: packedBytes,
    bitsPerWeight: (8 * packedBytes) / weights,
    weightError: mean(matrices.map(({ weightError }) => weightError)),
    ...(outputs.length > 0 && { outputError: mean(outputs) }),
    ...(finalError !== undefined && { finalError }),
  };
}

function keepErrors(
  into: Map<string, QuantizedMatrix>,
  label: string,
  { layers }: QuantizedModel,
): void {
  for (const { layer, matrices } of layers)
    for (const { module, kind, weightError, outputError, bytes, rows, columns } of matrices) {
      const known = into.get(module) ?? { name: module, layer, kind, errors: {} };
      const own = {
        weight: weightError,
        bits: (8 * bytes) / (rows * columns),
        ...(outputError !== undefined && { output: outputError }),
      };
      into.set(module, { ...known, errors: { ...known.errors, [label]: own } });
    }
}
