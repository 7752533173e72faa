/** @file Two adapters beside each other: overlap of their subspaces, norms and ranks, matrix by matrix. */
import type { Linalg } from "../../../kernels/linalg/index.ts";
import { createLinalg } from "../../../kernels/linalg/index.ts";
import { at, Cancelled, UserError } from "../../shared/errors.ts";
import { svdOfFactors } from "../analyze/low-rank.ts";
import { overlapOf } from "../analyze/overlap.ts";
import type { OverlapRecord } from "../../shared/spectra-records.ts";
import { factorsOf } from "../analyze/spectra.ts";
import type { Update } from "../analyze/source.ts";
import { kernelBytes } from "../runtime/kernels.ts";
import { createFullMatch } from "../session/python-regex.ts";
import type { ModelPlaces } from "../weights/hub-cache.ts";
import { baseOfAdapter } from "./adapter-shapes.ts";
import type { LookHost } from "./look.ts";
import { nameFilter } from "./matrix-set.ts";
import type { ModelFolder } from "./model-folder.ts";
import { openModelFolder } from "./model-folder.ts";
import type { StoredMatrix } from "./stored-matrix.ts";
import { readMatrix } from "./stored-matrix.ts";
import { tunedAdapter } from "./tuned-adapter.ts";
import type { TunedSide } from "./tuned-side.ts";

export interface OverlapRequest {
  readonly adapters: readonly [string, string];
  /** Needed where an update hangs on the base's values: DoRA, residual bases. */
  readonly base: string | undefined;
  readonly places: ModelPlaces;
  readonly matrices: string | undefined;
}

export interface OverlapResult {
  readonly records: readonly OverlapRecord[];
  /** Matrices that only one of them adapts. */
  readonly onlyFirst: readonly string[];
  readonly onlySecond: readonly string[];
}

export async function lookAtOverlap(
  { adapters, base: id, places, matrices }: OverlapRequest,
  host: LookHost,
): Promise<OverlapResult> {
  const linalg = createLinalg(kernelBytes("linalg"));
  const fullMatch = createFullMatch(1000);
  const bases: ModelFolder[] = [];
  const sides: TunedSide[] = [];
  try {
    for (const folder of adapters) {
      const base =
        id === undefined ? await baseOfAdapter(folder) : await openModelFolder(id, places);
      bases.push(base);
      sides.push(await tunedAdapter(folder, base, { fullMatch, linalg }));
    }
    const [a, b] = [at(sides, 0), at(sides, 1)];
    const isFound = nameFilter(matrices, fullMatch);
    const of = (index: number, side: TunedSide) =>
      [...at(bases, index).matrices].filter(
        ([plain, stored]) => side.has(plain) && isFound(stored.info.name),
      );
    const [first, second] = [of(0, a), of(1, b)];
    const names = (list: typeof first, other: TunedSide) =>
      list.flatMap(([plain, { info }]) => (other.has(plain) ? [] : [info.name]));
    const both = first.filter(([plain]) => b.has(plain) && at(bases, 1).matrices.has(plain));
    if (both.length === 0) throw nothingShared(adapters, matrices);
    const records: OverlapRecord[] = [];
    for (const [index, [plain, stored]] of both.entries()) {
      if (host.isCancelled()) throw new Cancelled();
      host.progress({ done: index, total: both.length, name: stored.info.name, left: undefined });
      const other = at(bases, 1).matrices.get(plain) ?? stored;
      requireSameSizes(adapters, stored, other);
      const svds = [
        await svdOf(linalg, a, plain, stored, id !== undefined),
        await svdOf(linalg, b, plain, other, id !== undefined),
      ];
      records.push(await overlapOf(linalg, stored.info.name, at(svds, 0), at(svds, 1)));
    }
    return { records, onlyFirst: names(first, b), onlySecond: names(second, a) };
  } finally {
    for (const one of [...sides, ...bases]) await one.close();
  }
}

async function svdOf(
  linalg: Linalg,
  side: TunedSide,
  plain: string,
  stored: StoredMatrix,
  hasBase: boolean,
) {
  const W = hasBase
    ? (await readMatrix(stored)).W
    : { rows: 0, columns: 0, data: new Float32Array() };
  const { update } = await side.update(plain, stored, W);
  const factors = factorsOf(update);
  if (!factors) throw needsBase(stored.info.name, update);
  return svdOfFactors(linalg, factors);
}

function needsBase(name: string, { kind }: Update): UserError {
  return new UserError({
    code: "no-plain-update",
    message: `The update of ${name} is no product of two factors (${kind}): its subspace is not that of an adapter.`,
    remedy: "Merge both and look at the models: `spectune spectra BASE --tuned DIR`.",
  });
}

function nothingShared(
  [first, second]: readonly [string, string],
  pattern: string | undefined,
): UserError {
  return new UserError({
    code: "empty-selection",
    message: `${first} and ${second} adapt no matrix in common${pattern === undefined ? "" : ` that --matrices ${pattern} finds`}.`,
    place: { file: first },
    remedy: "Give two adapters of one base.",
  });
}

function requireSameSizes(
  [first, second]: readonly [string, string],
  a: StoredMatrix,
  b: StoredMatrix,
): void {
  if (a.info.shape.join() === b.info.shape.join()) return;
  throw new UserError({
    code: "adapter-of-another-base",
    message: `${first} and ${second} were made for different bases: ${a.info.name} is [${a.info.shape.join(", ")}] in one and [${b.info.shape.join(", ")}] in the other.`,
    place: { file: second, field: b.info.name },
    remedy: "Give two adapters of one base.",
  });
}
