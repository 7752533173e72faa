/** @file Intruder dimensions of one matrix: verdicts by certificate and witness, then exact cosines from one base SVD. */
import type { Matrix } from "../../../kernels/linalg/index.ts";
import { at } from "../../shared/errors.ts";
import { fullVectors, inFloat16, leadingVectors, smallerSide } from "./base-vectors.ts";
import { arbitraryBelow, cosinesOf, cosinesWith, exactCosine } from "./exact-cosines.ts";
import { vectorError, type Finding, type IntruderOptions } from "./finding.ts";
import { gapCounts } from "./gap-counts.ts";
import { applyGram, applyKept, formGram } from "./gram.ts";
import { intervalVerdicts } from "./interval-verdicts.ts";
import { knownGaps, type Proves } from "./known-gaps.ts";
import { noiseFloor } from "./noise-floor.ts";
import { denseOperator, frobenius, inFloat64, type Tools } from "./products.ts";
import type {
  GapFrom,
  MatrixIntrudersRecord,
  Proof,
  VectorRecord,
} from "../../shared/intruder-records.ts";
import type { KeptSvd, LoadedPair, MatrixPair, SvdCache } from "./source.ts";
import { firstOf, rowOf, type TopVectors } from "./top-vectors.ts";
import { tunedGaps, tunedTop, vectorCount } from "./tuned-top.ts";
import { lastWitness } from "./witness.ts";

export interface IntruderContext {
  readonly tools: Tools;
  readonly cache?: SvdCache | undefined;
  /** Milliseconds, for `seconds` of the record. */
  readonly now: () => number;
  /** Hears |Uᵀ_tuned U_base| [k, count] where the base's vectors were needed. */
  readonly onCosines?: (cosines: Matrix) => void;
}

/** So many of W₀'s leading vectors are witnesses. */
const leading = 16;

/** Where certificates stop to be worth their steps. */
const leastCertified = 0.35;

/** The intruder dimensions of one pair. */
export async function intruders(
  ctx: IntruderContext,
  pair: MatrixPair,
  options: IntruderOptions,
): Promise<MatrixIntrudersRecord> {
  const started = ctx.now();
  const loaded = await pair.load();
  const { tuned, findings, leftOut } = await findingsOf(ctx, pair, loaded, options);
  const vectors = findings.map((finding, j): VectorRecord => {
    const gap = at(tuned.gaps, j);
    const residual = at(tuned.residuals, j);
    return {
      index: j,
      sigma: at(tuned.sigma, j),
      lower: finding.lower,
      upper: finding.upper,
      by: isProved(finding, at(tuned.gapFrom, j)) ? finding.by : "likely",
      intruder: finding.intruder,
      official: finding.official,
      vectorError: vectorError(tuned, j, options.cluster),
      residual,
      gap,
      gapFrom: at(tuned.gapFrom, j),
      proof: finding.proof,
    };
  });
  const energy = (list: readonly VectorRecord[]) => list.reduce((sum, v) => sum + v.sigma ** 2, 0);
  const found = vectors.filter((vector) => vector.intruder === true);
  return {
    name: pair.name,
    module: pair.module,
    layer: pair.layer,
    out: pair.out,
    in: pair.in,
    baseHash: pair.baseHash,
    tunedHash: pair.tunedHash,
    baseDtype: pair.baseDtype,
    reference: options.reference,
    epsilon: options.epsilon,
    k: vectors.length,
    stage: options.exact ? "exact" : "verdicts",
    count: found.length,
    undecided: vectors.filter((vector) => vector.intruder === undefined).length,
    basisDependent: vectors.filter((vector) => vector.by === "basis-dependent").length,
    energy: energy(vectors) === 0 ? 0 : energy(found) / energy(vectors),
    vectors,
    leftOut,
    noiseFloor: noiseFloor(pair.out, Math.min(pair.out, pair.in)),
    seconds: (ctx.now() - started) / 1000,
  };
}

/** Whether a verdict that claims to be proved stands on no gap that Ritz values alone tell of: its vector's own, or a witness's. */
function isProved({ by, proof }: Finding, gapFrom: GapFrom): boolean {
  if (by !== "intruder" && by !== "not") return true;
  if (proof.kind === "witness" && proof.gapFrom === "ritz") return false;
  if (proof.kind === "bessel" && !proof.isKnown) return false;
  return gapFrom !== "ritz";
}

async function findingsOf(
  { tools, cache, onCosines }: IntruderContext,
  pair: MatrixPair,
  loaded: LoadedPair,
  options: IntruderOptions,
) {
  const stored = inFloat64(loaded.base);
  const storedOperator = denseOperator(tools, stored);
  const few = Math.min(pair.out, pair.in) <= options.exactBelow;
  const rounded = options.reference === "official-fp16";
  const base = rounded ? { ...stored, data: stored.data.map(inFloat16) } : stored;
  const W = rounded ? denseOperator(tools, base) : storedOperator;
  const storedSize = frobenius(stored);
  const size = rounded ? frobenius(base) : storedSize;
  const hash = rounded ? `${pair.baseHash}-float16` : pair.baseHash;
  let kept: KeptSvd | undefined = await cache?.read(hash, "full");
  const isFormed = !few && Math.min(pair.out, pair.in) <= options.formBelow;
  const isVerdicts =
    !options.exact && kept === undefined && !few && options.epsilon >= leastCertified;
  const known = rounded ? undefined : kept;
  const storedGram = isFormed && known === undefined ? await formGram(tools, stored) : undefined;
  const gram = rounded && isFormed && isVerdicts ? await formGram(tools, base) : storedGram;
  const stand = {
    ...{ base: stored, operator: storedOperator, size: storedSize, isFormed },
    apply:
      known && pair.out <= pair.in
        ? applyKept(tools, known.left, known.sigma)
        : storedGram && applyGram(tools, storedGram),
  };
  const count = vectorCount(pair.out, pair.in, options.k);
  const seen = await tunedTop(tools, stand, loaded.update, options);
  const isCounted = !few && known === undefined;
  const top =
    isVerdicts || isCounted
      ? await leadingVectors(tools, W, {
          gram: gram && applyGram(tools, gram),
          ...{ hash, cache: isVerdicts ? cache : undefined },
          ...{ seed: options.seed, cluster: options.cluster, count: leading },
          start: await smallerSide(W, firstOf(seen.top, count).left),
        })
      : undefined;
  const { countBelow } = options;
  const counts =
    top &&
    gapCounts(tools, {
      ...{ base: stored, size: storedSize, gram: storedGram, countBelow },
      ...{ near: top, tuned: seen.top, change: seen.change },
    });
  const asking = { counts, kept: known, near: top?.sigma, countBelow };
  const tuned = firstOf(await tunedGaps(tools, seen, stand, loaded.update, asking), count);
  const findings: (Finding | undefined)[] = Array.from({ length: tuned.sigma.length });
  if (isVerdicts && top !== undefined) {
    // Gaps are counted of those that were waited for.
    const asked = firstOf(top, leading);
    const own = rounded
      ? gapCounts(tools, {
          ...{ base, size, gram, countBelow },
          ...{ near: top, tuned: top, change: undefined },
        })
      : counts;
    const least = lastWitness(tuned, asked, options.epsilon) + 1;
    // Without a witness a count would be made in vain, where it costs more than Lanczos.
    const proves: Proves =
      own && (least > 0 || gram) ? own.before : () => Promise.resolve(undefined);
    const counted = await knownGaps(asked, proves, { known: own?.known() ?? [], least });
    for (const [j, finding] of (
      await intervalVerdicts(tools, { W, base, size, gram, near: top }, tuned, counted, options)
    ).entries())
      findings[j] = finding;
  }
  const open = findings.flatMap((finding, j) => (finding?.intruder === undefined ? [j] : []));
  let leftOut = 0;
  if (open.length > 0 && (options.exact || options.fallback || few || kept !== undefined)) {
    const cached = kept !== undefined;
    kept ??= (await fullVectors(tools, base, hash, cache)).svd;
    const cosines = await cosinesWith(tools, tuned.left, kept);
    onCosines?.(cosines);
    const decided = exactFindings(tuned, kept, cosines, open, { ...options, cached });
    for (const [i, j] of open.entries()) findings[j] = decided.findings[i];
    leftOut = decided.leftOut;
  }
  return {
    tuned,
    leftOut,
    findings: findings.map((finding) => finding ?? undecided),
  };
}

const undecided: Finding = {
  ...{ lower: 0, upper: 1, by: "svd", intruder: undefined },
  proof: { kind: "none" },
};

function exactFindings(
  tuned: TopVectors,
  svd: KeptSvd,
  all: Matrix,
  open: readonly number[],
  options: IntruderOptions & { readonly cached: boolean },
) {
  const { epsilon, cluster } = options;
  const sigma1 = svd.sigma[0] ?? 0;
  const findings = open.map((j): Finding => {
    const y = rowOf(tuned.left, j);
    const found = exactCosine(y, cosinesOf(all, j), svd, cluster);
    const error = vectorError(tuned, j, cluster);
    // Of the base's own vectors: they are as good as float64 gives them.
    const rounding = Math.min(1e-6, at(svd.residuals, 0) / (cluster * (sigma1 || 1)));
    const lower = Math.max(0, found.lower - error - rounding);
    const upper = Math.min(1, found.upper + error + rounding);
    const proof: Proof = {
      kind: "exact",
      base: found.base,
      cosine: found.official,
      multiplicity: found.multiplicity,
      projection: found.projection,
      cached: options.cached,
    };
    const official = found.official;
    const rest = { lower, upper: Math.min(1, Math.max(upper, lower)), official, proof };
    if (lower >= epsilon) return { ...rest, by: "not", intruder: false };
    const arbitrary = found.arbitrary >= epsilon;
    if (upper < epsilon && !arbitrary) return { ...rest, by: "intruder", intruder: true };
    const open = found.multiplicity > 1 || error === 1 || arbitrary;
    return { ...rest, by: open ? "basis-dependent" : "svd", intruder: official < epsilon };
  });
  const floor = arbitraryBelow(sigma1);
  return { findings, leftOut: svd.sigma.reduce((n, s) => n + Number(s <= floor), 0) };
}
