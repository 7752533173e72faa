/** @file Quantizes a model folder into another: opens both, runs the layers, and goes on where it was left. */
import { at, invariant, UserError } from "../../shared/errors.ts";
import type { Experiment } from "../../shared/experiment/fields/experiment-fields.ts";
import type { Finding } from "../../shared/findings.ts";
import { quantizers, rowNamed } from "../catalog.ts";
import { loadTokenizer } from "../data/tokenizer/load-tokenizer.ts";
import { requireNewFolder } from "../exports/new-folder.ts";
import type { LinearSpec, Model, Task } from "../models/architecture.ts";
import { untied } from "../models/untie.ts";
import type { CalibrationBatch } from "../network/calibration.ts";
import { createProgramCache } from "../network/program-cache.ts";
import type { BoundQuantizer, Quantizer } from "../quantizers/define.ts";
import { randomRotation } from "../quantizers/blocks/rotation.ts";
import { packedFormats } from "../quantizers/formats/table.ts";
import { createLinalg } from "../../../kernels/linalg/index.ts";
import { requireWritable } from "../runs/atomic.ts";
import { backendGemm } from "../runtime/gemm.ts";
import { kernelBytes } from "../runtime/kernels.ts";
import { createOrtBackend } from "../runtime/ort.ts";
import { chooseDevice } from "../session/choose-device.ts";
import type { DeviceFields } from "../session/choose-device.ts";
import { randomNumbers } from "../session/draw.ts";
import { readOriginal } from "../session/load-weights.ts";
import { machineFacts } from "../session/machine-facts.ts";
import type { OpenModel } from "../session/open-model.ts";
import { openModel } from "../session/open-model.ts";
import { matchMs } from "../session/prepare-run.ts";
import { createFullMatch } from "../session/python-regex.ts";
import { openRunData } from "../session/run-data.ts";
import type { ModelSetup } from "../session/set-up.ts";
import { setUpModel } from "../session/set-up.ts";
import { hashFiles } from "../weights/content-hash.ts";
import type { ModelPlaces, ModelReference } from "../weights/hub-cache.ts";
import { throwErrors } from "../weights/read-errors.ts";
import type { WeightSource } from "../weights/weight-source.ts";
import { chainsOf } from "./chains.ts";
import { requireWholeGroups } from "./group-sizes.ts";
import { withinBudget } from "./allocate.ts";
import type { Search } from "./candidates.ts";
import { bestCandidate } from "./candidates.ts";
import type { LayoutChoice } from "./choose-layout.ts";
import { requireLayerHeld, requireLayout } from "./choose-layout.ts";
import { openLosses } from "./losses.ts";
import { openParts } from "./parts.ts";
import type { LayerProgress, LayerReport, QuantizeParts } from "./quantize-layers.ts";
import { layersOf, quantizeLayers } from "./quantize-layers.ts";
import type { ReadTensor } from "./rotate-model.ts";
import { requireRotatable, rotatedReader } from "./rotate-model.ts";
import { calibrationText } from "./windows.ts";
import type { WindowChoice } from "./windows.ts";
import type { WrittenFolder } from "./write-folder.ts";
import { writeQuantizedFolder } from "./write-folder.ts";

export interface QuantizeJob {
  readonly reference: ModelReference;
  readonly task: Task;
  readonly places: ModelPlaces;
  readonly device: DeviceFields;
  readonly quantizer: { readonly type: string; readonly config: Readonly<Record<string, unknown>> };
  readonly calibration: (WindowChoice & { readonly file: string }) | undefined;
  /** Says how rows of the calibration data become text. */
  readonly experiment: Experiment;
  /** Modules that stay as they are, by the last part of their name or in full. */
  readonly skip: readonly string[];
  readonly seed: number;
  readonly out: string;
  readonly layout: LayoutChoice;
  /** Goes into the record. */
  readonly versions: Readonly<Record<string, string>>;
}

export interface QuantizedModel extends WrittenFolder {
  readonly layers: readonly LayerReport[];
  readonly findings: readonly Finding[];
}

export interface Watching {
  readonly now: () => number;
  readonly onProgress: (progress: QuantizeProgress) => void;
}

/** A search, where the quantizer has one, then the layers. */
export type QuantizeProgress =
  | { readonly search: Search }
  | (LayerProgress & { readonly search?: undefined; readonly resumedFrom: number });

/** Writes `job.out`; what is done of it is kept beside it until it is whole. A {@link UserError} for what does not fit. */
export async function quantizeModel(
  job: QuantizeJob,
  { now, onProgress }: Watching,
): Promise<QuantizedModel> {
  await requireNewFolder(job.out);
  await requireWritable(partsFolder(job.out));
  const row = rowNamed(quantizers, job.quantizer.type);
  const quantizer = row.bind(job.quantizer.config);
  const opened = await openModel(job.reference, job.task, job.places);
  try {
    const { source } = opened;
    if (quantizer.rotates) requireRotatable(opened.model, row.title);
    // What a rotated head reads is no table of words any more.
    const model = quantizer.rotates ? untied(opened.model) : opened.model;
    refusePacked(opened);
    const setup = plainSetUp(model, source);
    const skips = ({ module, head }: LinearSpec): boolean =>
      head === true || job.skip.some((name) => module === name || module.endsWith(`.${name}`));
    const layers = layersOf({ model, setups: setup.setups, skips });
    const linears = layers.flatMap((layer) => layer.linears);
    refuseShapes(row, quantizer, linears);
    const { group } = job.quantizer.config;
    if (typeof group === "number" && job.layout !== "spectune" && !quantizer.budget)
      requireWholeGroups(linears, group);
    requireLayout(job.layout, { ...job.quantizer, formats: row.formats }, linears);
    refuseWithoutLoss(row, quantizer, opened);
    if (quantizer.folds) refuseWithoutChains(row, opened);
    const batches = await calibrationOf(job, row, quantizer, opened);
    const device = chooseDevice(job.device, machineFacts());
    const backend = await createOrtBackend({ device: device.chosen, threads: device.threads });
    const cache = createProgramCache(backend);
    const products = backendGemm(backend);
    const { sha256 } = await hashFiles(source.files);
    const data = job.calibration ? await hashFiles([job.calibration.file]) : undefined;
    const record = {
      version: 1,
      versions: job.versions,
      model: { ...originOf(opened), sha256 },
      quantizer: job.quantizer,
      calibration: job.calibration && { ...job.calibration, sha256: data?.sha256 },
      skip: job.skip,
      seed: job.seed,
    };
    const parts = await openParts(partsFolder(job.out), record);
    const resumedFrom = parts.done();
    const random = randomNumbers(job.seed);
    const numbersFrom = (module: string, stream: string) =>
      numbersOf((part, into) => {
        random.ofStart(module, `${stream} ${part}`).uniform(into, 0, 1);
      });
    let read: ReadTensor = (tensor) => readOriginal(setup, source, tensor);
    const reports: LayerReport[] = [];
    let chosen = quantizer;
    let allocation: Readonly<Record<string, unknown>> | undefined;
    try {
      const modules = linears.map(({ module }) => module);
      if (quantizer.rotates) {
        const numbers = numbersFrom("model", "rotation");
        read = rotatedReader(model, read, randomRotation(model.sizes.hidden, numbers));
      }
      const work: QuantizeParts = {
        backend,
        cache,
        model,
        setups: setup.setups,
        linalg: createLinalg(kernelBytes("linalg"), { gemm: products.gemm }),
        quantizer,
        formats: packedFormats,
        batches,
        losses: await openLosses(backend, setup, source, batches, quantizer.needs, modules),
        random: numbersFrom,
        read,
        skips,
      };
      const trying = (search: Search): void => {
        onProgress({ search });
      };
      const best = await bestCandidate(work, parts.folder, now, trying);
      const budgeted = await withinBudget({ ...work, quantizer: best }, parts.folder, trying);
      chosen = budgeted.quantizer;
      allocation = budgeted.fields;
      const held: typeof parts = {
        ...parts,
        save(layer, result) {
          requireLayerHeld(job.layout, result.matrices);
          return parts.save(layer, result);
        },
      };
      for await (const report of quantizeLayers(
        { ...work, quantizer: chosen },
        held,
        now,
        (progress) => {
          onProgress({ ...progress, resumedFrom });
        },
      ))
        reports.push(report);
    } finally {
      await products.dispose();
      await cache.dispose();
    }
    const written = await writeQuantizedFolder(job.out, {
      model,
      source,
      config: opened.config,
      originalFolder: opened.resolved.folder,
      parts,
      layers: layers.length,
      layout: job.layout,
      skip: job.skip,
      quantizer: { type: job.quantizer.type, config: chosen.config },
      record: { ...record, chosen: chosen.config, allocation, layers: reports },
      rotated: quantizer.rotates ? read : undefined,
    });
    await parts.remove();
    return { ...written, layers: reports, findings: opened.findings };
  } finally {
    await opened.source.close();
  }
}

/** Where what is done of a folder is kept until it is whole. */
export function partsFolder(out: string): string {
  return `${out}.part`;
}

/** A hub id with its commit, or the folder. */
function originOf({ resolved: { folder, hubId, snapshot } }: OpenModel): ModelReference {
  if (hubId === undefined) return { id: folder };
  return { id: hubId, ...(snapshot !== undefined && { revision: snapshot }) };
}

/** The model with nothing that trains. */
function plainSetUp(model: Model, source: WeightSource): ModelSetup {
  const fields = { method: [], quantization: null };
  const { value, findings } = setUpModel(model, fields, source.tensors, createFullMatch(matchMs));
  throwErrors(findings);
  return value;
}

/** A {@link UserError} for a model that holds packed matrices. */
export function refusePacked({ source, resolved }: Pick<OpenModel, "source" | "resolved">): void {
  const packed = [...source.tensors.values()].find((tensor) => tensor.packed !== undefined);
  if (!packed) return;
  throw new UserError({
    code: "already-quantized",
    message: `${resolved.folder} is quantized already, at ${packed.name} first.`,
    place: { file: resolved.folder },
    remedy: "Give the model that it was made from.",
  });
}

function refuseShapes(
  row: Quantizer,
  quantizer: BoundQuantizer,
  linears: readonly LinearSpec[],
): void {
  for (const { module, in: columns, out: rows } of linears) {
    const why = quantizer.refuses({ rows, columns });
    if (why === undefined) continue;
    throw new UserError({
      code: "shape-does-not-fit",
      message: `${row.title} cannot store ${module} (${rows} × ${columns}): ${why}`,
      remedy: "Choose bits and groups that fit.",
    });
  }
}

/** What is calibrated on is text without classes: only what comes next is known of it. */
function refuseWithoutLoss(row: Quantizer, { needs }: BoundQuantizer, { model }: OpenModel): void {
  if (model.task === "causal-lm") return;
  if (!needs.some((need) => need === "gradient" || need === "fisher")) return;
  throw new UserError({
    code: "no-loss-to-read",
    message: `${row.title} reads gradients of the loss of the next token, and ${model.modelType} as it is opened here has no next token to tell (task: ${model.task}).`,
    remedy: "Choose a quantizer that reads the inputs alone, such as gptq.",
  });
}

function refuseWithoutChains(row: Quantizer, { model }: OpenModel): void {
  const layer = model.blocks.find(({ kind }) => kind === "layer");
  invariant(layer, "a model has layers");
  if (chainsOf(model, layer).some(({ producer }) => producer.kind === "norm")) return;
  throw new UserError({
    code: "no-structure-to-fold",
    message: `${row.title} moves factors from a norm into the linear sites that read it; in ${model.modelType} every norm feeds a residual sum too.`,
    remedy: "Choose a quantizer that changes each matrix alone, such as gptq, rtn or nf4.",
  });
}

async function calibrationOf(
  { calibration, experiment }: QuantizeJob,
  row: Quantizer,
  { needs }: BoundQuantizer,
  { model, resolved }: OpenModel,
): Promise<readonly CalibrationBatch[]> {
  if (!calibration) {
    if (needs.length === 0) return [];
    throw new UserError({
      code: "no-calibration-data",
      message: `${row.title} reads calibration data (${needs.join(", ")}), and none are given.`,
      remedy: "Give text that the model should be good at: --calibration data.jsonl.",
    });
  }
  const { file } = calibration;
  const settings = {
    ...experiment,
    data: { ...experiment.data, train: file, eval: null, test: null },
    eval: { ...experiment.eval, forgetting: null },
  };
  const tokenizer = await loadTokenizer(resolved.folder);
  const { train } = await openRunData(settings, model, tokenizer, { now: new Date() });
  const length = Math.min(calibration.length, model.sizes.maxLength);
  return calibrationText(train.examples, model, { ...calibration, length }, file).calibration;
}

/** Numbers in [0, 1), some at a time from a stream each. */
function numbersOf(fill: (part: number, into: Float32Array) => void): () => number {
  const some = new Float32Array(1024);
  let next = 0;
  return () => {
    const place = next % some.length;
    if (place === 0) fill(next / some.length, some);
    next++;
    return at(some, place);
  };
}
