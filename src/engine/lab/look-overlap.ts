/** @file Two adapters beside each other: overlap of their subspaces, norms and ranks, matrix by matrix. */
import type { Linalg } from "../../../kernels/linalg/index.ts";
import { createLinalg } from "../../../kernels/linalg/index.ts";
import { at, Cancelled, invariant, UserError } from "../../shared/errors.ts";
import { svdOfFactors } from "../analyze/low-rank.ts";
import { overlapOf } from "../analyze/overlap.ts";
import type { OverlapRecord } from "../../shared/spectra-records.ts";
import { factorsOf } from "../analyze/spectra.ts";
import type { Update } from "../analyze/source.ts";
import { kernelBytes } from "../runtime/kernels.ts";
import { createFullMatch } from "../session/python-regex.ts";
import type { ModelPlaces } from "../weights/hub-cache.ts";
import { baseOfAdapter } from "./adapter-shapes.ts";
import { analysisVersion } from "../../shared/analysis-documents.ts";
import type { AnalysisFile } from "./analysis-file.ts";
import { openAnalysisFile } from "./analysis-file.ts";
import type { LookHost } from "./look.ts";
import { isRecordWith, secondsLeft } from "./look.ts";
import { nameFilter } from "./matrix-set.ts";
import type { ModelFolder } from "./model-folder.ts";
import { openModelFolder } from "./model-folder.ts";
import type { SideChoice } from "./open-sides.ts";
import { openSide } from "./open-sides.ts";
import type { StoredMatrix } from "./stored-matrix.ts";
import { readMatrix } from "./stored-matrix.ts";
import { tunedAdapter } from "./tuned-adapter.ts";
import type { HashedUpdate, TunedSide } from "./tuned-side.ts";

export interface OverlapRequest {
  readonly adapters: readonly [string, string];
  /** What each of them is; a checkpoint of a run needs the base. */
  readonly sides: readonly [SideChoice, SideChoice];
  /** Needed where an update hangs on the base's values: DoRA, residual bases. */
  readonly base: string | undefined;
  readonly places: ModelPlaces;
  readonly matrices: string | undefined;
  /** Where the analysis file goes. */
  readonly folder: string;
  readonly versions: Readonly<Record<string, string>>;
}

export interface OverlapResult {
  /** The analysis file. */
  readonly file: string;
  /** Records that an earlier call had made. */
  readonly reused: number;
  readonly records: readonly OverlapRecord[];
  /** Matrices that only one of them adapts. */
  readonly onlyFirst: readonly string[];
  readonly onlySecond: readonly string[];
}

/**
 * Matrix by matrix. When it is cancelled, the file says what is done and {@link Cancelled} is thrown; the same call then
 * goes on from there. Matrices are told by hashes of both adapters' tensors.
 */
export async function lookAtOverlap(
  { adapters, sides: choices, base: id, places, matrices, folder, versions }: OverlapRequest,
  host: LookHost,
): Promise<OverlapResult> {
  const linalg = createLinalg(kernelBytes("linalg"));
  const fullMatch = createFullMatch(1000);
  const bases: ModelFolder[] = [];
  const sides: TunedSide[] = [];
  const opened: AnalysisFile<OverlapRecord>[] = [];
  try {
    const ctx = { fullMatch, linalg };
    for (const [index, adapter] of adapters.entries()) {
      const base =
        id === undefined ? await baseOfAdapter(adapter) : await openModelFolder(id, places);
      bases.push(base);
      const side =
        id === undefined
          ? await tunedAdapter(adapter, base, ctx)
          : await openSide(at(choices, index), base, places, ctx);
      invariant(side, "both are something that was trained");
      sides.push(side);
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
    for (const [plain, stored] of both) {
      const other = at(bases, 1).matrices.get(plain) ?? stored;
      requireSameSizes(adapters, stored, other);
      a.check(plain, stored);
      b.check(plain, other);
    }
    const records: OverlapRecord[] = [];
    let reused = 0;
    const asked = { matrices, base: id, adapters };
    const file = await openAnalysisFile(folder, "diff", asked, isOverlap, () => []);
    opened.push(file);
    const sided = { adapters, onlyFirst: names(first, b), onlySecond: names(second, a) };
    const finish = (complete: boolean) => {
      const head = { version: analysisVersion, kind: "diff", versions, time: host.time() };
      return file.finish({ ...head, complete }, records, sided);
    };
    const began = host.now();
    for (const [index, [plain, stored]] of both.entries()) {
      if (host.isCancelled()) {
        await finish(false);
        throw new Cancelled(
          `Stopped after ${records.length} of ${both.length} matrices; ${file.path} holds them, and the same command goes on from there.`,
        );
      }
      const total = both.length;
      const left = secondsLeft(index, total, host.now() - began);
      host.progress({ done: index, total, name: stored.info.name, left });
      const other = at(bases, 1).matrices.get(plain) ?? stored;
      const { name } = stored.info;
      const one = await updateOf(a, plain, stored, id !== undefined);
      const two = await updateOf(b, plain, other, id !== undefined);
      const known = file.found(name, one.hash, two.hash);
      if (known) reused += 1;
      const svds = known ? [] : [await svdOf(linalg, name, one), await svdOf(linalg, name, two)];
      const record = known ?? {
        ...(await overlapOf(linalg, name, at(svds, 0), at(svds, 1))),
        ...{ baseHash: one.hash, tunedHash: two.hash },
      };
      records.push(record);
      if (!known) await file.add(record, []);
    }
    await finish(true);
    return { records, file: file.path, reused, ...sided };
  } finally {
    for (const one of [...opened, ...sides, ...bases]) await one.close();
  }
}

const isOverlap = isRecordWith<OverlapRecord>("left", "right", "cosine");

async function updateOf(
  side: TunedSide,
  plain: string,
  stored: StoredMatrix,
  hasBase: boolean,
): Promise<HashedUpdate> {
  const W = hasBase
    ? (await readMatrix(stored)).W
    : { rows: 0, columns: 0, data: new Float32Array() };
  return side.update(plain, stored, W);
}

async function svdOf(linalg: Linalg, name: string, { update }: HashedUpdate) {
  const factors = factorsOf(update);
  if (!factors) throw needsBase(name, update);
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
