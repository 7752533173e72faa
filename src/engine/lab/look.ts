/** @file What the commands of the lab ask for: matrix by matrix, kept as it goes, gone on from what is there. */
import type { Provenance, SideRecord } from "../../shared/analysis-documents.ts";
import { analysisVersion } from "../../shared/analysis-documents.ts";
import { Cancelled } from "../../shared/errors.ts";
import type { Finding } from "../../shared/findings.ts";
import { isRecord } from "../../shared/wire.ts";
import type { Tools } from "../analyze/products.ts";
import type { MatrixPair } from "../analyze/source.ts";
import { createFullMatch } from "../session/python-regex.ts";
import type { AnalysisFile, Hashed } from "./analysis-file.ts";
import { openAnalysisFile } from "./analysis-file.ts";
import { atIntervals, openLabProducts } from "./lab-products.ts";
import type { PendingMatrix } from "./matrix-set.ts";
import type { OpenSet, SetChoice, SideChoice } from "./open-sides.ts";
import { openSet } from "./open-sides.ts";
import type { DiskCache } from "./svd-cache.ts";
import { diskCache } from "./svd-cache.ts";
import type { NamedArray } from "./side-arrays.ts";

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
  /** Whether the work shall end: before the next matrix, or the next large product of the one at hand. */
  readonly isCancelled: () => boolean;
  /** Milliseconds; for lengths of time. */
  readonly now: () => number;
  /** The present as ISO 8601. */
  readonly time: () => string;
}

/** Sent before each matrix, about each second within one, and after the last. */
export interface LookProgress {
  readonly done: number;
  readonly total: number;
  readonly name: string;
  /** Seconds that the past rate makes of the rest; undefined before the first. */
  readonly left: number | undefined;
}

export interface LookTools {
  readonly tools: Tools;
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
  readonly make: (having: LookTools, pair: MatrixPair) => Promise<Made<R>>;
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
  const watch: Watch = { tick: undefined };
  const { tools, dispose } = await openLabProducts(() => {
    if (host.isCancelled()) throw new Cancelled();
    watch.tick?.();
  });
  const having: LookTools = { tools, cache: diskCache(place.cache, host.tell), now: host.now };
  const open = { fullMatch: createFullMatch(matchMs), linalg: tools.linalg };
  const results: LookResult<R>[] = [];
  const rate = rateOf(host.now);
  try {
    for (const [index, side] of sides.entries()) {
      const set = await openSet(place, side, open);
      try {
        if (index === 0) for (const finding of set.findings) host.tell(finding);
        const sidesLeft = sides.length - index;
        const asking = { place, side, set, look, having, watch, host, rate, sidesLeft };
        results.push(await lookAtSet(asking));
      } finally {
        await set.close();
      }
    }
  } finally {
    await dispose();
  }
  return results;
}

/** A pattern may look this long at one name. */
const matchMs = 1000;

/** Called before each large product. */
interface Watch {
  tick: (() => void) | undefined;
}

/** One side that is to be looked at, and what serves the look at all of them. */
interface Asking<R extends Hashed> {
  readonly place: LookPlace;
  readonly side: SideChoice;
  readonly set: OpenSet;
  readonly look: Look<R>;
  readonly having: LookTools;
  readonly watch: Watch;
  readonly host: LookHost;
  readonly rate: Rate;
  /** With this one. */
  readonly sidesLeft: number;
}

async function lookAtSet<R extends Hashed>(asking: Asking<R>): Promise<LookResult<R>> {
  const { place, side, set, look } = asking;
  const { base, tuned } = set;
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
  try {
    return await lookInto(file, asked, asking);
  } finally {
    await file.close();
  }
}

async function lookInto<R extends Hashed>(
  file: AnalysisFile<R>,
  asked: Readonly<Record<string, unknown>>,
  { place, side, set, look, having, watch, host, rate, sidesLeft }: Asking<R>,
): Promise<LookResult<R>> {
  const { base, tuned, matrices } = set;
  const member = side.kind === "none" ? undefined : side.member;
  const provenance = (complete: boolean): Provenance => ({
    version: analysisVersion,
    kind: look.kind,
    versions: place.versions,
    time: host.time(),
    base,
    tuned: tuned && member ? { ...tuned, member } : tuned,
    options: asked,
    matrixSet: matrices.map((matrix) => matrix.name),
    complete,
  });
  const records: R[] = [];
  let reused = 0;
  const all = matrices.reduce((sum, matrix) => sum + look.work(matrix), 0);
  let done = 0;
  const total = matrices.length;
  const stopped = async (): Promise<never> => {
    await file.finish(provenance(false), records, look.summary(records));
    throw new Cancelled(
      `Stopped after ${records.length} of ${total} matrices; ${file.path} holds them, and the same command goes on from there.`,
    );
  };
  for (const [index, matrix] of matrices.entries()) {
    if (host.isCancelled()) await stopped();
    const left = rate.left(all - done + (sidesLeft - 1) * all);
    const progress = (rest: number | undefined): void => {
      host.progress({ done: index, total, name: matrix.name, left: rest });
    };
    progress(left);
    watch.tick = atIntervals(1000, host.now, (elapsed) => {
      progress(left && Math.max(0, left - elapsed / 1000));
    });
    try {
      const pair = await matrix.prepare();
      const known = file.found(pair.name, pair.baseHash, pair.tunedHash);
      if (known) reused += 1;
      const started = host.now();
      if (known) records.push(known);
      else {
        const { record, arrays } = await look.make(having, pair);
        await file.add(record, arrays);
        rate.took(look.work(matrix), host.now() - started);
        records.push(record);
      }
    } catch (error) {
      if (!(error instanceof Cancelled)) throw error;
      await stopped();
    }
    done += look.work(matrix);
  }
  watch.tick = undefined;
  host.progress({ done: total, total, name: "", left: 0 });
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
    left: (rest) => secondsLeft(work, work + rest, milliseconds),
  };
}

/** Seconds that the rest of `total` takes at the rate of what is done; undefined before the first. */
export function secondsLeft(done: number, total: number, milliseconds: number): number | undefined {
  return done === 0 ? undefined : ((total - done) * milliseconds) / done / 1000;
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
