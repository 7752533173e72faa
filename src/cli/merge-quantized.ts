/** @file `spectune merge` of an adapter whose base is quantized: where it goes, and how true the result is. */
import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { LogitFidelity, UpdateFidelity } from "../engine/quantize/merge-fidelity.ts";
import { logitFidelity } from "../engine/quantize/merge-fidelity.ts";
import type { QuantizedRecord } from "../engine/quantize/merge-quantized.ts";
import {
  fidelityText,
  keepsChannels,
  originalFidelity,
  quantizeMerged,
  recordOf,
} from "../engine/quantize/merge-quantized.ts";
import { exportMerged } from "../engine/session/export-run.ts";
import { openForInference } from "../engine/session/open-for-inference.ts";
import { resolveModel } from "../engine/weights/hub-cache.ts";
import { UserError } from "../shared/errors.ts";
import type { Console } from "./define.ts";
import { figure, percent } from "./format.ts";
import type { ChosenModel } from "./model-options.ts";
import { findingText } from "./read-file.ts";
import { version } from "./version.ts";
import { withModel } from "./with-model.ts";

export interface MergeFidelity {
  readonly into: "original" | "quantized";
  /** Not given where there is no text to compare on. */
  readonly logits?: LogitFidelity;
  /** Where weights have the same channels as before. */
  readonly update?: Pick<UpdateFidelity, "survives" | "matrices">;
}

interface MergeChoice {
  readonly into: "original" | "quantized" | undefined;
  readonly folder: string;
  readonly data: string | undefined;
}

/** Undefined where the base is not quantized: a merge like any other. */
export async function mergeQuantized(
  chosen: ChosenModel,
  console: Console,
  { into = "original", folder, data }: MergeChoice,
): Promise<MergeFidelity | undefined> {
  const { model, places } = chosen;
  const { folder: baseFolder } = await resolveModel(model.reference, places);
  const record = await recordOf(baseFolder);
  if (into === "quantized") {
    if (!record) throw notQuantized(baseFolder);
    const update = await intoQuantized(chosen, console, record, baseFolder, folder);
    return { into, ...(update && { update }), ...(await logitsOf(chosen, record, folder, data)) };
  }
  if (!record && model.quantization === null) return undefined;
  if (record && !existsSync(record.model.id) && !/^[\w-][\w.-]*\/[\w.-]+$/.test(record.model.id))
    throw new UserError({
      code: "no-original",
      message: `${baseFolder} was made from ${record.model.id}, which is not there.`,
      place: { file: baseFolder },
      remedy: "Put it back, name it with --base, or merge with --into quantized.",
    });
  if (record && !keepsChannels(record.quantizer))
    throw new UserError({
      code: "other-channels",
      message: `${baseFolder} was made by ${record.quantizer.type}, which scales or turns channels: what an adapter learned there is no update of the original's weights.`,
      place: { file: baseFolder },
      remedy:
        "Merge with --into quantized, or use the adapter with the base that it was trained on.",
    });
  const reference = record?.model ?? model.reference;
  const original = { ...chosen, model: { ...model, reference, quantization: null } };
  const update = await intoOriginal(original, console, folder);
  return { into, update, ...(await logitsOf(chosen, record, folder, data)) };
}

/** Beside what is written in the original's types, base and update in float32, as long as the two are compared. */
async function intoOriginal(
  original: ChosenModel,
  console: Console,
  folder: string,
): Promise<UpdateFidelity> {
  const { folder: base } = await resolveModel(original.model.reference, original.places);
  const exact = `${folder}.float`;
  try {
    await withModel(original, console, async ({ trained }) => {
      await exportMerged(trained, folder, (finding) => {
        console.err(findingText(finding));
      });
      await exportMerged({ ...trained, storedType: () => "float32" }, exact, () => undefined);
    });
    return await originalFidelity(base, exact, folder);
  } finally {
    await rm(exact, { recursive: true, force: true });
  }
}

async function intoQuantized(
  chosen: ChosenModel,
  console: Console,
  record: QuantizedRecord,
  baseFolder: string,
  folder: string,
): Promise<UpdateFidelity | undefined> {
  const { model, places, experiment } = chosen;
  const float = `${folder}.float`;
  await merged(chosen, console, float);
  return quantizeMerged(
    {
      reference: { id: baseFolder },
      task: model.task,
      places,
      device: model.device,
      quantizer: record.quantizer,
      calibration: record.calibration,
      experiment,
      skip: [],
      seed: 0,
      out: folder,
      layout: "auto",
      versions: { spectune: version },
    },
    float,
  );
}

function merged(chosen: ChosenModel, console: Console, folder: string): Promise<void> {
  return withModel(chosen, console, ({ trained }) =>
    exportMerged(trained, folder, (finding) => {
      if (finding.code !== "merged-from-quantized") console.err(findingText(finding));
    }),
  );
}

/** Base and adapter as they are against what was written. */
async function logitsOf(
  chosen: ChosenModel,
  record: QuantizedRecord | undefined,
  folder: string,
  data: string | undefined,
): Promise<Pick<MergeFidelity, "logits">> {
  const file = data ?? record?.calibration?.file;
  const { model, places, experiment } = chosen;
  if (model.task !== "causal-lm" || file === undefined || !existsSync(file)) return {};
  const nothing = (): void => undefined;
  const whole = {
    ...model,
    reference: { id: folder },
    trained: { kind: "none" },
    quantization: null,
  } as const;
  const apart = await openForInference(model, places, nothing);
  try {
    const text = await fidelityText(apart, experiment, file);
    const made = await openForInference(whole, places, nothing);
    try {
      return { logits: await logitFidelity(apart.context, made.context, text) };
    } finally {
      await made.close();
    }
  } finally {
    await apart.close();
  }
}

export function fidelityLines({ into, logits, update }: MergeFidelity): string {
  const target = into === "original" ? "the original float weights" : "quantized weights again";
  return [
    `merged into ${target}`,
    ...(logits
      ? [
          `against base and adapter, over ${logits.tokens} tokens: KL ${figure(logits.divergence)} nats, the same likeliest token in ${percent(logits.agreement)}`,
        ]
      : []),
    ...(update ? [`${percent(update.survives)} of the update survives rounding`] : []),
    "",
  ].join("\n");
}

function notQuantized(folder: string): UserError {
  return new UserError({
    code: "base-not-quantized",
    message: `${join(folder)} is no folder that spectune quantize made: nothing says how to quantize the merged weights.`,
    place: { file: folder },
    remedy: "Merge into the original, and quantize the result with `spectune quantize`.",
  });
}
