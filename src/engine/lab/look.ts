/** @file What the commands of the lab ask for: matrix by matrix, kept as it goes, gone on from what is there. */
import { join } from "node:path";
import type { Linalg } from "../../../kernels/linalg/index.ts";
import { createLinalg } from "../../../kernels/linalg/index.ts";
import { Cancelled } from "../../shared/errors.ts";
import type { Finding } from "../../shared/findings.ts";
import { isRecord } from "../../shared/wire.ts";
import type { MatrixPair } from "../analyze/source.ts";
import { kernelBytes } from "../runtime/kernels.ts";
import { createFullMatch } from "../session/python-regex.ts";
import type { Hashed, Provenance } from "./analysis-file.ts";
import { analysisVersion, openAnalysisFile } from "./analysis-file.ts";
import type { PendingMatrix } from "./matrix-set.ts";
import type { OpenSet, SetChoice, SideChoice } from "./open-sides.ts";
import { openSet } from "./open-sides.ts";
import type { DiskCache } from "./svd-cache.ts";
import { diskCache } from "./svd-cache.ts";
import type { NamedArray } from "./side-arrays.ts";
import type { SideRecord } from "./tuned-side.ts";

/** What every look has in common; plain data. */
export interface LookPlace extends SetChoice {
  /** Where analysis files go. */
  readonly folder: string;
  /** Where base decompositions are kept. */
  readonly cache: string;
  readonly versions: Readonly<Record<string, string>>;
}

export interface LookHost {
  readonly tell: (finding: Finding) => void;
  readonly progress: (progress: LookProgress) => void;
  /** Whether the work shall end after the matrix at hand. */
  readonly isCancelled: () => boolean;
  /** Milliseconds; for lengths of time. */
  readonly now: () => number;
  /** The present as ISO 8601. */
  readonly time: () => string;
}

/** Sent before each matrix and after the last. */
export interface LookProgress {
  readonly done: number;
  readonly total: number;
  readonly name: string;
  /** Seconds that the past rate makes of the rest; undefined before the first. */
  readonly left: number | undefined;
}

export interface LookTools {
  readonly linalg: Linalg;
  readonly cache: DiskCache;
  readonly now: () => number;
}

export interface Made<R> {
  readonly record: R;
  readonly arrays: readonly NamedArray[];
}

/** What is made of each matrix. */
export interface Look<R extends Hashed> {
  readonly kind: Provenance["kind"];
  readonly options: Readonly<Record<string, unknown>>;
  readonly make: (tools: LookTools, pair: MatrixPair) => Promise<Made<R>>;
  /** The arrays that a record of this kind has beside the file. */
  readonly arrays: (record: R) => readonly string[];
  /** Tells a record of this kind in a file. */
  readonly is: (value: unknown) => value is R;
  /** Work for a matrix, in any unit: time left is told by it. */
  readonly work: (matrix: PendingMatrix) => number;
  /** What the file says beside its matrices. */
  readonly summary: (records: readonly R[]) => Readonly<Record<string, unknown>>;
}

export interface LookResult<R> {
  readonly side: SideChoice;
  readonly base: SideRecord;
  readonly tuned: SideRecord | undefined;
  /** The analysis file. */
  readonly file: string;
  readonly records: readonly R[];
  /** Records that an earlier call had made. */
  readonly reused: number;
}

/** Bytes of the linear algebra's memory at most: an exact SVD of 8192 × 8192 fits. */
const memoryBytes = 4 * 2 ** 30 - 65536;

/**
 * Looks at the matrices of each side in turn. When it is cancelled, the files say what is done and
 * {@link Cancelled} is thrown; the same call then goes on from there. Matrices are told by hashes of
 * their bytes, so that a file that has changed is never taken for the one before.
 */
export async function lookAt<R extends Hashed>(
  place: LookPlace,
  sides: readonly SideChoice[],
  look: Look<R>,
  host: LookHost,
): Promise<readonly LookResult<R>[]> {
  const tools: LookTools = {
    linalg: createLinalg(kernelBytes("linalg"), { maxBytes: memoryBytes }),
    cache: diskCache(place.cache, host.tell),
    now: host.now,
  };
  const open = { fullMatch: createFullMatch(matchMs), linalg: tools.linalg };
  const results: LookResult<R>[] = [];
  const rate = rateOf(host.now);
  for (const [index, side] of sides.entries()) {
    const set = await openSet(place, side, open);
    try {
      if (index === 0) for (const finding of set.findings) host.tell(finding);
      results.push(
        await lookAtSet(place, side, set, look, tools, host, rate, sides.length - index),
      );
    } finally {
      await set.close();
    }
  }
  return results;
}

/** A pattern may look this long at one name. */
const matchMs = 1000;

async function lookAtSet<R extends Hashed>(
  place: LookPlace,
  side: SideChoice,
  set: OpenSet,
  look: Look<R>,
  tools: LookTools,
  host: LookHost,
  rate: Rate,
  sidesLeft: number,
): Promise<LookResult<R>> {
  const { base, tuned, matrices } = set;
  const { matrices: pattern, splitsFused, held, question, full } = place;
  const asked = {
    ...look.options,
    matrices: pattern,
    splitsFused,
    ...(held ? { held, question } : {}),
    ...(full ? { full: pathOf(full) } : {}),
  };
  const identity = { kind: look.kind, asked, base: base.path, tuned: tuned?.path };
  const name =
    side.kind !== "none" && side.step !== undefined ? `${look.kind}-step-${side.step}` : look.kind;
  const file = await openAnalysisFile(place.folder, name, identity, look.is, look.arrays);
  const provenance = (complete: boolean): Provenance => ({
    version: analysisVersion,
    kind: look.kind,
    versions: place.versions,
    time: host.time(),
    base,
    tuned,
    options: asked,
    matrixSet: matrices.map((matrix) => matrix.name),
    complete,
  });
  const records: R[] = [];
  let reused = 0;
  const all = matrices.reduce((sum, matrix) => sum + look.work(matrix), 0);
  let done = 0;
  for (const [index, matrix] of matrices.entries()) {
    if (host.isCancelled()) {
      await file.finish(provenance(false), records, look.summary(records));
      throw new Cancelled(
        `Stopped after ${index} of ${matrices.length} matrices; ${file.path} holds them, and the same command goes on from there.`,
      );
    }
    const left = rate.left(all - done + (sidesLeft - 1) * all);
    host.progress({ done: index, total: matrices.length, name: matrix.name, left });
    const pair = await matrix.prepare();
    const known = file.found(pair.name, pair.baseHash, pair.tunedHash);
    if (known) reused += 1;
    const started = host.now();
    if (known) records.push(known);
    else {
      const { record, arrays } = await look.make(tools, pair);
      await file.add(record, arrays);
      rate.took(look.work(matrix), host.now() - started);
      records.push(record);
    }
    done += look.work(matrix);
  }
  host.progress({ done: matrices.length, total: matrices.length, name: "", left: 0 });
  await file.finish(provenance(true), records, look.summary(records));
  return { side, base, tuned, file: file.path, records, reused };
}

function pathOf(side: SideChoice): string {
  if (side.kind === "none") return "";
  return side.kind === "model" ? side.id : side.folder;
}

interface Rate {
  readonly took: (work: number, milliseconds: number) => void;
  readonly left: (work: number) => number | undefined;
}

function rateOf(now: () => number): Rate {
  let [work, milliseconds] = [0, 0];
  const began = now();
  return {
    took(more, took) {
      work += more;
      milliseconds += Math.min(took, now() - began);
    },
    left: (rest) => (work === 0 ? undefined : (rest * milliseconds) / work / 1000),
  };
}

/** Whether a value of a file is a record with these lists or numbers beside its name and hashes. */
export function isRecordWith<R extends Hashed>(
  ...fields: readonly (keyof R & string)[]
): (value: unknown) => value is R {
  return (value): value is R =>
    isRecord(value) &&
    ["name", "baseHash", "tunedHash"].every((field) => typeof value[field] === "string") &&
    fields.every((field) => value[field] !== undefined);
}

/** Where the analysis files of a base and of what was trained on it go, beside a run or in `.spectune`. */
export function analysisFolder(spectune: string): string {
  return join(spectune, "analysis");
}
