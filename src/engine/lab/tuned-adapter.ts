/** @file An adapter of peft on its base: the update of each matrix from its factors, without the architecture. */
import { createHash } from "node:crypto";
import { basename, join } from "node:path";
import type { Data, Linalg, Matrix } from "../../../kernels/linalg/index.ts";
import { at, invariant, UserError } from "../../shared/errors.ts";
import type { Finding } from "../../shared/findings.ts";
import type { Factors, Update } from "../analyze/source.ts";
import { adapterFiles } from "../exports/peft-adapter.ts";
import type { FullMatch } from "../methods/targets.ts";
import { patternValue } from "../methods/targets.ts";
import { refuseNonFinite } from "../weights/check-tensor.ts";
import type { TensorInfo } from "../weights/safetensors.ts";
import { openWeights } from "../weights/weight-source.ts";
import { addFactors, rowNorms } from "./merged-matrix.ts";
import type { ModelFolder } from "./model-folder.ts";
import { shapeText } from "./model-folder.ts";
import { plainName } from "./names.ts";
import type { PeftFacts } from "./peft-facts.ts";
import { readPeftFacts } from "./peft-facts.ts";
import { requireEqualShapes } from "./matrix-set.ts";
import type { StoredMatrix } from "./stored-matrix.ts";
import {
  dtypeOf,
  isFloatMatrix,
  readMatrix,
  rowsOf,
  sizeOf,
  transpose,
  valuesOf,
} from "./stored-matrix.ts";
import type { SideRecord } from "../../shared/analysis-documents.ts";
import type { TunedSide } from "./tuned-side.ts";

export interface AdapterContext {
  readonly fullMatch: FullMatch;
  readonly linalg: Linalg;
}

/** Tensors of one module of the base. */
interface Site {
  /** As peft names it, for patterns. */
  readonly module: string;
  readonly tensors: Map<string, TensorInfo>;
}

/** Ends of tensors' names and what they are; `default` stands where peft keeps an adapter's own name. */
const ends: readonly (readonly [RegExp, string])[] = [
  [/\.lora_A(\.default)?\.weight$/, "A"],
  [/\.lora_B(\.default)?\.weight$/, "B"],
  [/\.lora_embedding_A(\.default)?$/, "tableA"],
  [/\.lora_embedding_B(\.default)?$/, "tableB"],
  [/\.lora_magnitude_vector(\.default)?(\.weight)?$/, "magnitude"],
  [/\.ia3_l(\.default)?$/, "ia3"],
];

/** Opens an adapter folder; a {@link UserError} where it does not fit `base`, with what that was noticed by. */
export async function tunedAdapter(
  folder: string,
  base: ModelFolder,
  ctx: AdapterContext,
  record: Partial<SideRecord> = {},
): Promise<TunedSide> {
  const facts = await readPeftFacts(folder);
  const source = await openWeights(join(folder, adapterFiles.weights));
  const sites = new Map<string, Site>();
  const saved = new Map<string, StoredMatrix>();
  for (const info of source.tensors.values()) {
    const name = info.name.replace(/^base_model\.model\./, "");
    const end = ends.find(([pattern]) => pattern.test(name));
    if (end) {
      const module = name.replace(end[0], "");
      const plain = plainName(`${module}.weight`);
      const site = sites.get(plain) ?? { module, tensors: new Map<string, TensorInfo>() };
      sites.set(plain, site);
      site.tensors.set(end[1], info);
    } else if (isFloatMatrix(info)) {
      const plain = savedName(info.name);
      saved.set(plain, { source, info, transposed: base.matrices.get(plain)?.transposed ?? false });
    }
  }
  try {
    requirePlaces(folder, sites, base);
  } catch (error) {
    await source.close();
    throw error;
  }

  const floats = async (info: TensorInfo): Promise<Matrix<Data> & { readonly hash: string }> => {
    const bytes = await source.read(info.name);
    refuseNonFinite(info, bytes);
    const hash = createHash("sha256").update(info.storedAs).update(bytes).digest("hex");
    const [rows = 1, columns = 1] = info.shape;
    return { rows, columns, data: valuesOf(info, bytes), hash };
  };

  return {
    record: { kind: "adapter", path: folder, ...record },
    has: (plain) => sites.has(plain) || saved.has(plain),
    whole: undefined,
    dtype: (plain, stored) => {
      const copy = saved.get(plain);
      return copy ? dtypeOf(copy) : dtypeOf(stored);
    },
    check(plain, stored) {
      const copy = saved.get(plain);
      if (copy) requireEqualShapes(copy, stored);
      const site = sites.get(plain);
      if (site) checkSite(site, stored);
    },
    async update(plain, stored, W) {
      const copy = saved.get(plain);
      const site = sites.get(plain);
      if (!site) {
        const read = await readMatrix({ ...at([copy ?? stored], 0), ...partOf(stored) });
        return { update: { kind: "tuned", W: read.W }, hash: read.hash };
      }
      const tensors = new Map<string, Matrix<Data> & { readonly hash: string }>();
      for (const [what, info] of site.tensors) tensors.set(what, await floats(info));
      const update = await updateOf(facts, site, tensors, stored, W, ctx);
      const hash = createHash("sha256").update(JSON.stringify({ ...facts, findings: [] }));
      for (const tensor of tensors.values()) hash.update(tensor.hash);
      return { update, hash: hash.digest("hex") };
    },
    findings: [...facts.findings, ...source.findings, ...otherBase(facts, base, folder)],
    close: source.close,
  };
}

/** The plain name of a tensor that lies whole in an adapter's folder. */
export function savedName(name: string): string {
  return plainName(name.replace(/\.(modules_to_save(\.default)?|base_layer)\./, "."));
}

async function updateOf(
  facts: PeftFacts,
  { module }: Site,
  tensors: ReadonlyMap<string, Matrix<Data>>,
  stored: StoredMatrix,
  W: Matrix<Data>,
  { fullMatch, linalg }: AdapterContext,
): Promise<Update> {
  const ia3 = tensors.get("ia3");
  if (ia3) {
    const scale =
      stored.part && ia3.columns === 1
        ? stored.part.rows.map((row) => at(ia3.data, row))
        : ia3.data;
    const values = Float64Array.from(scale);
    return {
      kind: "factors",
      factors: [],
      ...(ia3.columns === 1 ? { rowScale: values } : { columnScale: values }),
    };
  }
  const pair = factorsOf(tensors);
  const alpha = patternValue(facts.alphaPattern, module, fullMatch) ?? facts.alpha;
  const rank = pair.A.rows;
  const scale = alpha / (facts.usesRslora ? Math.sqrt(rank) : rank);
  const whole: readonly Factors[] = [{ ...pair, scale }];
  const { part } = stored;
  const B = part ? rowsOf(pair.B, part.rows) : pair.B;
  const own: readonly Factors[] = [{ A: pair.A, B, scale }];
  if (facts.residual !== "none" && part) throw residualOfPart(module);
  const taken = facts.residual === "none" ? [] : [await takenOff(facts, W, rank, scale, linalg)];
  const factors = [...own, ...taken];
  const magnitude = tensors.get("magnitude");
  if (!magnitude) return { kind: "factors", factors };
  if (taken.length > 0) throw residualOfPart(module);
  // DoRA: W = m (W₀ + s B A) / ‖W₀ + s B A‖, norms over each output's row.
  const merged = Float64Array.from(W.data);
  for (const one of part ? own : whole) addFactors(merged, W.columns, one);
  const norms = rowNorms({ rows: W.rows, columns: W.columns, data: merged });
  const m = Array.from(norms, (_, row) => at(magnitude.data, part ? at(part.rows, row) : row));
  return { kind: "factors", factors, rowScale: norms.map((norm, row) => at(m, row) / norm) };
}

/** The pair of an adapted layer; that of a table is stored turned. */
function factorsOf(tensors: ReadonlyMap<string, Matrix<Data>>): Pick<Factors, "A" | "B"> {
  const [A, B] = [tensors.get("A"), tensors.get("B")];
  if (A && B) return { A, B };
  const [tableA, tableB] = [tensors.get("tableA"), tensors.get("tableB")];
  invariant(tableA && tableB, "a pair was checked before");
  return { A: transpose(tableB), B: transpose(tableA) };
}

/**
 * What peft took off the base when the adapter was made, and takes off again when it loads: s times the best
 * approximation of rank r for PiSSA, with the scale in the factors, and the first r of Q R for OLoRA.
 */
async function takenOff(
  { residual }: PeftFacts,
  W: Matrix<Data>,
  rank: number,
  scale: number,
  linalg: Linalg,
): Promise<Factors> {
  const exact: Matrix<Data> = { ...W, data: Float64Array.from(W.data) };
  if (residual === "olora") {
    const { Q, R } = await linalg.qr(exact);
    return { B: columnsOf(Q, rank), A: firstRows(R, rank), scale: -scale };
  }
  const { U, sigma, Vt } = await linalg.svd(exact);
  const B = columnsOf(U, rank);
  const A = firstRows(Vt, rank);
  const scaled = Float64Array.from(
    A.data,
    (value, i) => value * at(sigma, Math.floor(i / A.columns)),
  );
  return { B, A: { ...A, data: scaled }, scale: -1 };
}

function firstRows({ columns, data }: Matrix<Data>, rows: number): Matrix<Data> {
  return { rows, columns, data: data.slice(0, rows * columns) };
}

function columnsOf({ rows, columns, data }: Matrix<Data>, count: number): Matrix<Data> {
  const kept = new Float64Array(rows * count);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < count; column++)
      kept[row * count + column] = data[row * columns + column] ?? NaN;
  return { rows, columns: count, data: kept };
}

function partOf({ transposed, part }: StoredMatrix): Partial<StoredMatrix> {
  return { transposed, ...(part === undefined ? {} : { part }) };
}

function requirePlaces(folder: string, sites: ReadonlyMap<string, Site>, base: ModelFolder): void {
  const lost = [...sites].filter(([plain]) => !base.matrices.has(plain));
  const [first] = lost;
  if (sites.size > 0 && first === undefined) return;
  if (first === undefined)
    throw new UserError({
      code: "empty-adapter",
      message: `${folder} holds no factors.`,
      place: { file: folder },
      remedy: "Take an adapter of peft's LoRA or IA³, or give its merged model as --tuned.",
    });
  const names = lost.map(([, { module }]) => module);
  throw new UserError({
    code: "adapter-of-another-base",
    message: `${folder} was made for another base: ${base.path} has no ${names.slice(0, 3).join(", ")}${names.length > 3 ? ` and ${names.length - 3} more` : ""} (noticed by names: ${lost.length} of ${sites.size} are missing).`,
    place: { file: folder, field: first[1].module },
    remedy: "Give the base that it was trained on.",
  });
}

/** The tensors of a pair, by the way that they are stored. */
const pairs = [
  ["A", "B"],
  ["tableA", "tableB"],
] as const;

/** That both factors of a pair are there, with one rank. */
function checkPair({ module, tensors }: Site): void {
  const [any] = [...tensors.values()];
  invariant(any, "a site has a tensor");
  if (tensors.has("ia3")) return;
  const pair = pairs.find((both) => both.every((what) => tensors.has(what)));
  const [A, B] = (pair ?? []).flatMap((what) => tensors.get(what) ?? []);
  if (A && B && A.shape[0] === B.shape[1]) return;
  const shape = (info: TensorInfo): string => `[${info.shape.join(", ")}]`;
  throw new UserError({
    code: A && B ? "different-shapes" : "missing-tensors",
    message:
      A && B
        ? `The factors of ${module} have different ranks: ${A.name} is ${shape(A)}, ${B.name} is ${shape(B)}.`
        : `The adapter has only a part of the factors of ${module}: ${[...tensors.values()].map(({ name }) => name).join(", ")}.`,
    place: { file: any.file, field: any.name },
    remedy: "Take the adapter again from where it came from.",
  });
}

function checkSite(site: Site, stored: StoredMatrix): void {
  checkPair(site);
  const { module, tensors } = site;
  const { out, in: width } = sizeOf(stored);
  const wants: readonly (readonly [string, number, number])[] = [
    ["A", 1, width],
    ["B", 0, out],
    ["tableA", 1, out],
    ["tableB", 0, width],
    ["magnitude", 0, out],
  ];
  for (const [what, dimension, size] of wants) {
    const info = tensors.get(what);
    if (!info || (what === "magnitude" && info.shape.includes(size))) continue;
    if (info.shape[dimension] === size) continue;
    throw new UserError({
      code: "adapter-of-another-base",
      message: `The adapter was made for another base: ${stored.info.name} is ${shapeText(stored.info)}, but ${info.name} has the shape [${info.shape.join(", ")}] (noticed by the shape of ${module}).`,
      place: { file: info.file, field: info.name },
      remedy: "Give the base that it was trained on.",
    });
  }
}

/** Shapes and names fit, but the adapter names another model: both may still be copies of one. */
function otherBase(
  { baseModel }: PeftFacts,
  base: ModelFolder,
  folder: string,
): readonly Finding[] {
  if (baseModel === undefined || baseModel === "") return [];
  const names = [base.resolved.hubId, base.path].flatMap((name) =>
    name === undefined ? [] : [lastOf(name)],
  );
  if (names.includes(lastOf(baseModel))) return [];
  return [
    {
      code: "adapter-names-another-base",
      severity: "warning",
      message: `The adapter says that its base is ${baseModel}; it is taken with ${base.path}, whose names and shapes fit.`,
      place: { file: join(folder, adapterFiles.config), field: "base_model_name_or_path" },
      remedy: "Make sure that both are the same model: figures of another base mean nothing.",
    },
  ];
}

function lastOf(name: string): string {
  return basename(name.replace(/[/\\]+$/, "")).toLowerCase();
}

function residualOfPart(module: string): UserError {
  return new UserError({
    code: "residual-base",
    message: `What ${module}'s initialisation took off the base is known for the whole matrix alone.`,
    remedy: "Leave --split-qkv out, or merge the adapter in peft and give the model as --tuned.",
  });
}
