/** @file All figures of one matrix: base, tuned and update. */
import { transposedCopy } from "../../../kernels/linalg/matrix.ts";
import type { Matrix } from "../../../kernels/linalg/index.ts";
import { at } from "../../shared/errors.ts";
import { stacked, svdOfFactors } from "./low-rank.ts";
import { denseOperator, formTuned, inFloat64, product, type Tools } from "./products.ts";
import { spectrumRecord, unitRoundoff } from "./ranks.ts";
import type {
  AlignmentRecord,
  MatrixSpectraRecord,
  UpdateRecord,
} from "../../shared/spectra-records.ts";
import type { Factors, MatrixPair, Update } from "./source.ts";
import { krylovTop } from "./top-vectors.ts";

export interface SpectraOptions {
  readonly rule: "median" | "weightwatcher";
  /** Alignment with so many top directions of W₀ each. */
  readonly alignment: readonly number[];
  readonly seed: number;
}

export const spectraDefaults: SpectraOptions = {
  rule: "median",
  alignment: [1, 4, 16],
  seed: 0,
};

/** Spectra, ranks, fits, sizes and alignment of one pair. */
export async function matrixSpectra(
  tools: Tools,
  pair: MatrixPair,
  options: SpectraOptions,
): Promise<MatrixSpectraRecord> {
  const loaded = await pair.load();
  const base = inFloat64(loaded.base);
  const facts = { out: pair.out, in: pair.in, rule: options.rule };
  const values = async (A: Matrix) => Array.from(await tools.linalg.singularValues(A));
  const { update } = loaded;
  const both = await byFactors(tools, base, update);
  const record = spectrumRecord(both?.before ?? (await values(base)), {
    ...facts,
    dtype: pair.baseDtype,
  });
  let tuned: MatrixSpectraRecord["tuned"];
  if (update !== undefined) {
    const sigma = both?.after ?? (await values(await formTuned(tools, base, update)));
    tuned = spectrumRecord(sigma, { ...facts, dtype: pair.tunedDtype });
  }
  return {
    name: pair.name,
    module: pair.module,
    layer: pair.layer,
    out: pair.out,
    in: pair.in,
    baseDtype: pair.baseDtype,
    tunedDtype: pair.tunedDtype,
    baseHash: pair.baseHash,
    tunedHash: pair.tunedHash,
    base: record,
    tuned,
    update: update && (await updateRecord(tools, pair, base, update, record.frobenius, options)),
  };
}

/** The values of both where the update is factors and W is not much smaller than W₀, whose size bounds their error. */
async function byFactors(tools: Tools, base: Matrix, update: Update | undefined) {
  const factors = update && factorsOf(update);
  if (factors === undefined) return undefined;
  const { left, right } = stacked(factors);
  const found = await tools.linalg.singularValuesOfBoth(base, left, right);
  const before = Array.from(found.before);
  const after = Array.from(found.after);
  const size = (sigma: readonly number[]) => Math.hypot(...sigma);
  return size(after) >= size(before) / 4 ? { before, after } : undefined;
}

/** ΔW as factors where it is some: without scales. */
export function factorsOf(update: Update): readonly Factors[] | undefined {
  if (update.kind !== "factors") return undefined;
  const plain = update.rowScale === undefined && update.columnScale === undefined;
  return plain ? update.factors : undefined;
}

async function updateRecord(
  tools: Tools,
  pair: MatrixPair,
  base: Matrix,
  update: Update,
  size: number,
  options: SpectraOptions,
): Promise<UpdateRecord> {
  const factors = factorsOf(update);
  const facts = { out: pair.out, in: pair.in, rule: options.rule };
  const exact = update.kind !== "tuned";
  const dtype = exact ? "float32" : pair.tunedDtype;
  let sigma: number[];
  let apply: (V: Matrix) => Promise<Matrix>;
  if (factors === undefined) {
    const delta = await difference(tools, base, update);
    sigma = Array.from(await tools.linalg.singularValues(delta));
    apply = (V) => product(tools, delta, V);
  } else {
    const svd = await svdOfFactors(tools.linalg, factors);
    sigma = Array.from(svd.sigma);
    const scaled = { ...svd.U, data: svd.U.data.map((u, i) => u * at(sigma, i % sigma.length)) };
    apply = async (V) => tools.linalg.multiply(scaled, await tools.linalg.multiply(svd.Vt, V));
  }
  const spectrum = spectrumRecord(sigma, { ...facts, dtype });
  // Each stored entry is off by at most u |w|, uniformly: a random matrix of that size has this norm.
  const rounding =
    (unitRoundoff(pair.tunedDtype) * size * (Math.sqrt(pair.out) + Math.sqrt(pair.in))) /
    Math.sqrt(3 * pair.out * pair.in);
  return {
    spectrum,
    from: exact ? "exact" : "difference",
    relativeSize: size === 0 ? Infinity : spectrum.frobenius / size,
    roundingFloor: exact ? 0 : rounding,
    alignment: await alignment(tools, base, apply, spectrum.frobenius, options),
  };
}

async function difference(tools: Tools, base: Matrix, update: Update): Promise<Matrix> {
  if (update.kind === "dense") return inFloat64(update.delta);
  const W = await formTuned(tools, base, update);
  return { ...W, data: W.data.map((value, i) => value - at(base.data, i)) };
}

/** ‖U_kᵀ ΔW V_k‖_F / ‖ΔW‖_F with the top k vectors of W₀ on both sides; k / √(out in) by chance. */
async function alignment(
  tools: Tools,
  base: Matrix,
  apply: (V: Matrix) => Promise<Matrix>,
  size: number,
  { alignment: wanted, seed }: SpectraOptions,
): Promise<readonly AlignmentRecord[]> {
  const most = Math.min(base.rows, base.columns);
  const ks = wanted.filter((k) => k <= most);
  const count = ks.reduce((top, k) => Math.max(top, k), 0);
  if (count === 0 || size === 0) return [];
  const top = await krylovTop(tools, denseOperator(tools, base), {
    ...{ count, error: 0.05, cluster: 1e-5, seed, steps: 6 },
  });
  const image = await apply(transposedCopy(top.right));
  const inside = await tools.linalg.multiply(top.left, image);
  return ks.map((k) => {
    let sum = 0;
    for (let i = 0; i < k; i++)
      for (let j = 0; j < k; j++) sum += at(inside.data, i * inside.columns + j) ** 2;
    const random = k / Math.sqrt(base.rows * base.columns);
    return { k, share: Math.sqrt(sum) / size, random };
  });
}
