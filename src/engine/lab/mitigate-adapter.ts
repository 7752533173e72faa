/** @file Mitigates an adapter or a tuned model: intruders are scaled, beside a control that scales their neighbours, and both are written. */
import { copyFile, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Data, Linalg, Matrix } from "../../../kernels/linalg/index.ts";
import { createLinalg } from "../../../kernels/linalg/index.ts";
import type { DType } from "../../shared/dtypes.ts";
import { at, Cancelled, invariant, UserError } from "../../shared/errors.ts";
import { isRecord, parseJson } from "../../shared/wire.ts";
import type { IntruderOptions } from "../analyze/finding.ts";
import { intruderDefaults } from "../analyze/finding.ts";
import type { Mitigated } from "../analyze/mitigation.ts";
import { compressed, mitigate } from "../analyze/mitigation.ts";
import type { MitigationDocument } from "../../shared/analysis-documents.ts";
import { analysisVersion, isAnalysisDocument } from "../../shared/analysis-documents.ts";
import type { MatrixIntrudersRecord } from "../../shared/intruder-records.ts";
import type { Factors } from "../analyze/source.ts";
import { adapterFiles } from "../exports/peft-adapter.ts";
import { requireNewFolder } from "../exports/new-folder.ts";
import { writeFolderAtomic } from "../runs/atomic.ts";
import { unlessMissing } from "../runs/file-errors.ts";
import { kernelBytes } from "../runtime/kernels.ts";
import { createFullMatch } from "../session/python-regex.ts";
import { float32ToHalf } from "../weights/dtype-conversion.ts";
import { openWeights } from "../weights/weight-source.ts";
import type { TensorToWrite } from "../weights/write-safetensors.ts";
import { writeModelWeights, writeSafetensors } from "../weights/write-safetensors.ts";
import { lookForIntruders } from "./look-intruders.ts";
import type { LookHost, LookPlace } from "./look.ts";
import { lookAt } from "./look.ts";
import { addFactors, tunedMatrix } from "./merged-matrix.ts";
import { openModelFolder } from "./model-folder.ts";
import { plainName } from "./names.ts";
import type { SideChoice } from "./open-sides.ts";
import { openSet } from "./open-sides.ts";
import { readPeftFacts } from "./peft-facts.ts";
import { readMatrix, transpose } from "./stored-matrix.ts";

export interface MitigateRequest {
  readonly place: LookPlace;
  readonly side: SideChoice;
  readonly intruders: Partial<IntruderOptions>;
  /** λ: the share of an intruder that stays. */
  readonly keep: number;
  readonly which: "top" | "all";
  /** Rank of a lossy compression; undefined keeps the exact r + |I|. */
  readonly compress: number | undefined;
  /** Where the result goes; the control lies in it under {@link controlFolder}. */
  readonly out: string;
}

export const controlFolder = "control-neighbour";

/** Lies in the folder of the result, and says whether it was measured. */
export const mitigationFile = "mitigation.json";

export interface MitigateResult {
  /** What {@link mitigationFile} holds so far. */
  readonly document: MitigationDocument;
  readonly found: readonly MatrixIntrudersRecord[];
}

/** Above this a full SVD of W costs more than a block Krylov space. */
const exactBelow = 512;

/**
 * Verdicts come first, and are kept as `intruders` keeps them: after an interrupt the same call goes on from there, and
 * from a result that was written and not measured yet.
 */
export async function mitigateSide(
  request: MitigateRequest,
  host: LookHost,
): Promise<MitigateResult> {
  const { place, side, keep, which, out } = request;
  const looks = await lookAt(place, [side], lookForIntruders(request.intruders), host);
  const found = looks.flatMap(({ records }) => records);
  const options = { ...intruderDefaults, ...request.intruders };
  const { compress } = request;
  const compression = compress === undefined ? {} : { compress };
  const head = {
    version: analysisVersion,
    kind: "mitigation",
    ...{ versions: place.versions, out, time: host.time(), measured: [], complete: false },
    options: { ...options, keep, which, ...compression },
    hashes: Object.fromEntries(found.map((one) => [one.name, `${one.baseHash} ${one.tunedHash}`])),
  } as const;
  const earlier = await unmeasured(out);
  if (earlier && JSON.stringify(identityOf(earlier)) === JSON.stringify(identityOf(head)))
    return { document: earlier, found };
  await requireNewFolder(out);
  const linalg = createLinalg(kernelBytes("linalg"));
  const set = await openSet(place, side, { fullMatch: createFullMatch(1000), linalg });
  const made: { readonly name: string; readonly own: Mitigated; readonly control: Mitigated }[] =
    [];
  try {
    for (const [index, matrix] of set.matrices.entries()) {
      if (host.isCancelled()) throw new Cancelled();
      host.progress({
        done: index,
        total: set.matrices.length,
        name: matrix.name,
        left: undefined,
      });
      const pair = await matrix.prepare();
      const tools = { linalg };
      const record = at(found, index);
      const loaded = await pair.load();
      const how = { keep, which, seed: options.seed, exactBelow };
      made.push({
        name: matrix.name,
        own: await shrunk(
          linalg,
          await mitigate(tools, loaded, record, { ...how, control: false }),
          request,
        ),
        control: await shrunk(
          linalg,
          await mitigate(tools, loaded, record, { ...how, control: true }),
          request,
        ),
      });
    }
  } finally {
    await set.close();
  }
  const isAdapter =
    side.kind === "adapter" &&
    made.every(({ own, control }) => own.kind !== "correction" && control.kind !== "correction") &&
    (await readPeftFacts(side.folder)).residual === "none";
  const document: MitigationDocument = {
    ...head,
    form: isAdapter ? "adapter" : "model",
    matrices: made.map(({ own }) => own.record),
    controls: made.map(({ control }) => control.record),
  };
  await writeFolderAtomic(out, async (temporary) => {
    const write = (folder: string, of: "own" | "control") => {
      const results = new Map(made.map((one) => [plainName(one.name), one[of]]));
      return isAdapter
        ? writeAdapter(side.folder, results, folder)
        : writeModel(request, results, folder, linalg);
    };
    await write(temporary, "own");
    await writeFolderAtomic(join(temporary, controlFolder), (folder) => write(folder, "control"));
    await writeFile(join(temporary, mitigationFile), `${JSON.stringify(document)}\n`);
  });
  return { document, found };
}

/** A result that was written and not measured yet; undefined where there is none. */
export async function unmeasured(out: string): Promise<MitigationDocument | undefined> {
  const text = await unlessMissing(readFile(join(out, mitigationFile), "utf8"));
  const document = text === undefined ? undefined : parseJson(text);
  if (!isAnalysisDocument(document) || document.kind !== "mitigation") return undefined;
  return document.complete === false ? document : undefined;
}

/** What a result hangs on. */
function identityOf({ options, hashes, versions }: Partial<MitigationDocument>): unknown {
  return [options, hashes, versions];
}

/** Compression to a rank is a wish of its own, and says what it loses. */
async function shrunk(
  linalg: Linalg,
  mitigated: Mitigated,
  { compress }: MitigateRequest,
): Promise<Mitigated> {
  if (compress === undefined || mitigated.kind !== "adapter") return mitigated;
  const { factors, loss } = await compressed(linalg, mitigated.factors, compress);
  const record = { ...mitigated.record, rankAfter: factors.A.rows, compressionLoss: loss };
  return { kind: "adapter", factors, record };
}

/** The adapter with scaled modules of their own rank and scale 1; everything else keeps its bytes. */
async function writeAdapter(
  from: string,
  results: ReadonlyMap<string, Mitigated>,
  folder: string,
): Promise<void> {
  const json = parseJson(await readFile(join(from, adapterFiles.config), "utf8"));
  invariant(isRecord(json), "the adapter's configuration was read before");
  const rslora = json["use_rslora"] === true;
  const source = await openWeights(join(from, adapterFiles.weights));
  try {
    const ranks: [string, number][] = [];
    const alphas: [string, number][] = [];
    const tensors: TensorToWrite[] = [];
    for (const info of source.tensors.values()) {
      const name = info.name.replace(/^base_model\.model\./, "");
      const [, module, which] = /^(.*)\.lora_([AB])(?:\.default)?\.weight$/.exec(name) ?? [];
      const result = module === undefined ? undefined : results.get(plainName(`${module}.weight`));
      if (module === undefined || result?.kind !== "adapter") {
        invariant(info.dtype, `${info.name} has a known type`);
        const { dtype, shape } = info;
        const chunks = async function* () {
          yield await source.read(info.name);
        };
        tensors.push({ name: info.name, dtype, shape, chunks });
        continue;
      }
      const { A, B } = result.factors;
      const matrix = which === "A" ? A : B;
      tensors.push(floatTensor(info.name, matrix, which === "A" ? 1 : result.factors.scale));
      if (which !== "A") continue;
      ranks.push([module, A.rows]);
      alphas.push([module, rslora ? Math.sqrt(A.rows) : A.rows]);
    }
    const pattern = (field: string, own: readonly [string, number][]) => ({
      ...Object.fromEntries(own),
      ...(isRecord(json[field]) ? json[field] : {}),
      ...Object.fromEntries(own),
    });
    const config =
      ranks.length === 0
        ? json
        : {
            ...json,
            rank_pattern: pattern("rank_pattern", ranks),
            alpha_pattern: pattern("alpha_pattern", alphas),
          };
    await writeFile(join(folder, adapterFiles.config), `${JSON.stringify(config, null, 2)}\n`);
    await writeSafetensors(join(folder, adapterFiles.weights), tensors, { format: "pt" });
  } finally {
    await source.close();
  }
}

function floatTensor(
  name: string,
  { rows, columns, data }: Matrix<Data>,
  scale: number,
): TensorToWrite {
  const values = Float32Array.from(data, (value) => value * scale);
  return {
    name,
    dtype: "float32",
    shape: [rows, columns],
    chunks: () => [new Uint8Array(values.buffer)],
  };
}

/** The tuned model with corrected matrices in the dtype of its files; every other tensor keeps its bytes. */
async function writeModel(
  { place, side }: MitigateRequest,
  results: ReadonlyMap<string, Mitigated>,
  folder: string,
  linalg: Linalg,
): Promise<void> {
  if (side.kind !== "model" && place.matrices !== undefined)
    throw new UserError({
      code: "partial-merge",
      message: "Merged weights hold every adapted matrix; --matrices would leave some of them out.",
      remedy: "Leave --matrices out.",
    });
  const id = side.kind === "model" ? side.id : place.base;
  const model = await openModelFolder(id, place.places);
  const set = await openSet(place, side, { fullMatch: createFullMatch(1000), linalg });
  const pending = new Map(set.matrices.map((matrix) => [plainName(matrix.name), matrix]));
  try {
    const tensors = [...model.source.tensors.values()].map((info): TensorToWrite => {
      const { name, dtype, shape } = info;
      invariant(dtype, `${name} has a known type`);
      const plain = plainName(name);
      const result = results.get(plain);
      const matrix = pending.get(plain);
      const stored = model.matrices.get(plain);
      const isTouched =
        stored !== undefined &&
        matrix !== undefined &&
        (side.kind !== "model" || result?.kind === "correction");
      return {
        name,
        dtype,
        shape,
        async *chunks() {
          if (!isTouched) {
            yield await model.source.read(name);
            return;
          }
          const base = (await readMatrix(stored)).W;
          const W = Float64Array.from(base.data);
          if (side.kind !== "model") {
            const { update } = await (await matrix.prepare()).load();
            // A whole new update stands in the place of the old one.
            if (result?.kind === "adapter") addFactors(W, base.columns, result.factors);
            else if (update) W.set(tunedMatrix(base, update).data);
          }
          const added = factorsAdded(result);
          if (added) addFactors(W, base.columns, added);
          const turned = stored.transposed ? transpose({ ...base, data: W }) : { ...base, data: W };
          yield bytesOf(turned.data, dtype);
        },
      };
    });
    await writeModelWeights(folder, tensors, { format: "pt" }, 5e9);
    if ((await stat(model.path)).isDirectory())
      for (const name of await readdir(model.path))
        if (/\.(json|txt|model|jinja)$/.test(name) && !name.endsWith(".index.json"))
          await copyFile(join(model.path, name), join(folder, name));
    if ([...model.source.tensors.values()].some(({ packed }) => packed !== undefined))
      await writeFile(join(folder, "config.json"), unquantized(model.config));
  } finally {
    await set.close();
    await model.close();
  }
}

/** The configuration of a model whose matrices were packed and are whole now. */
function unquantized(config: unknown): string {
  const fields = isRecord(config) ? Object.entries(config) : [];
  const kept = fields.filter(([name]) => name !== "quantization_config");
  return `${JSON.stringify(Object.fromEntries(kept), null, 2)}\n`;
}

/** What is added to the base or the tuned model, beside its update. */
function factorsAdded(result: Mitigated | undefined): Factors | undefined {
  return result?.kind === "correction" ? result.correction : undefined;
}

function bytesOf(values: Data, dtype: DType): Uint8Array {
  if (dtype === "float64") return new Uint8Array(Float64Array.from(values).buffer);
  const floats = Float32Array.from(values);
  if (dtype === "float32") return new Uint8Array(floats.buffer);
  invariant(dtype === "float16" || dtype === "bfloat16", `matrices are not stored as ${dtype}`);
  const halves = new Uint16Array(floats.length);
  float32ToHalf(dtype, floats, halves);
  return new Uint8Array(halves.buffer);
}
