/** @file Looks at the runs of some folders again and again: file watchers are silent on shared file systems. */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { isTemporaryName } from "../../engine/runs/atomic.ts";
import { unlessMissing } from "../../engine/runs/file-errors.ts";
import { runLayout, runsFolder } from "../../engine/runs/run-folder.ts";
import type { CurveChunk } from "../../shared/curves.ts";
import { chunkOf } from "../../shared/curves.ts";
import type { Evaluation, Step } from "../../shared/protocol.ts";
import type { RunHead, SweepPlace } from "../../shared/run-head.ts";
import { isLive } from "../../shared/run-state.ts";
import type { FollowedRun } from "../../shared/workbench.ts";
import type { RunReader } from "./run-reader.ts";
import { readRun } from "./run-reader.ts";
import { sweepPlaces } from "./sweep-places.ts";

export interface WatchEvents {
  readonly heads: (heads: readonly RunHead[]) => void;
  readonly gone: (folders: readonly string[]) => void;
  readonly curve: (told: { readonly run: string; readonly chunk: CurveChunk }) => void;
  readonly evaluations: (told: {
    readonly run: string;
    readonly evaluations: readonly Evaluation[];
  }) => void;
}

export interface RunWatch {
  readonly watch: (spectuneFolders: readonly string[]) => Promise<readonly RunHead[]>;
  readonly follow: (run: string) => Promise<FollowedRun>;
  readonly unfollow: (run: string) => void;
  readonly close: () => void;
}

/** While something trains, and while nothing does. */
const liveMs = 500;
const idleMs = 2000;

export function watchRuns(events: WatchEvents, now: () => number): RunWatch {
  const readers = new Map<string, RunReader>();
  const followed = new Map<
    string,
    { steps: readonly Step[]; evaluations: string; count: number }
  >();
  const sweeps = sweepPlaces();
  let places: ReadonlyMap<string, SweepPlace> = new Map();
  let spectuneFolders: readonly string[] = [];
  let timer: NodeJS.Timeout | undefined;
  let work: Promise<unknown> = Promise.resolve();
  let closed = false;

  const lookAt = async (): Promise<readonly RunHead[]> => {
    const folders = await runFolders(spectuneFolders);
    for (const folder of followed.keys()) if (!folders.includes(folder)) folders.push(folder);
    const gone = [...readers.keys()].filter((folder) => !folders.includes(folder));
    for (const folder of gone) readers.delete(folder);
    if (gone.length > 0) events.gone(gone);
    const before = places;
    places = await sweeps.look(spectuneFolders);
    const changed: RunHead[] = [];
    for (const folder of folders) {
      const reader = readers.get(folder) ?? readRun(folder);
      readers.set(folder, reader);
      // A folder can vanish between the list and the look.
      const news = await unlessMissing(reader.look(now()));
      const head =
        news ?? (sameSweep(before.get(folder), places.get(folder)) ? undefined : reader.head());
      if (head !== undefined) changed.push(placed(head));
      tellFollowed(folder, reader);
    }
    if (changed.length > 0) events.heads(changed);
    return [...readers.values()].flatMap((reader) => reader.head() ?? []).map(placed);
  };
  const placed = (head: RunHead): RunHead => {
    const sweep = places.get(head.folder);
    return sweep === undefined ? head : { ...head, sweep };
  };

  const tellFollowed = (run: string, reader: RunReader): void => {
    const before = followed.get(run);
    if (before === undefined) return;
    const { steps, evaluations } = reader.view();
    const from = firstChange(before.steps, steps);
    if (from < steps.length || steps.length < before.steps.length)
      events.curve({ run, chunk: chunkOf(steps, from) });
    const stamp = stampOf(evaluations);
    if (stamp !== before.evaluations) events.evaluations({ run, evaluations });
    followed.set(run, { ...before, steps, evaluations: stamp });
  };

  /** One look after the other, however many ask for one. */
  const look = (): Promise<readonly RunHead[]> => {
    const next = work.then(lookAt);
    work = next.catch(() => undefined);
    return next;
  };
  const again = (): void => {
    clearTimeout(timer);
    if (closed || (spectuneFolders.length === 0 && followed.size === 0)) return;
    const live = [...readers.values()].some((reader) => {
      const head = reader.head();
      return head !== undefined && isLive(head.state);
    });
    timer = setTimeout(() => void look().finally(again), live ? liveMs : idleMs);
  };

  return {
    watch: async (folders) => {
      spectuneFolders = folders;
      const heads = await look();
      again();
      return heads;
    },
    follow: async (run) => {
      const known = followed.get(run);
      followed.set(run, { ...emptyFollow, ...known, count: (known?.count ?? 0) + 1 });
      await look();
      again();
      const reader = readers.get(run);
      const head = reader?.head();
      if (reader === undefined || head === undefined) throw new Error(`There is no run ${run}.`);
      const { steps, evaluations } = reader.view();
      return { head: placed(head), curve: chunkOf(steps, 0), evaluations };
    },
    unfollow: (run) => {
      const known = followed.get(run);
      if (known !== undefined && known.count > 1)
        followed.set(run, { ...known, count: known.count - 1 });
      else followed.delete(run);
    },
    close: () => {
      closed = true;
      clearTimeout(timer);
    },
  };
}

const emptyFollow = { steps: [], evaluations: "", count: 0 } as const;

async function runFolders(spectuneFolders: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const folder of spectuneFolders) {
    const runs = runsFolder(folder);
    const ids = (await unlessMissing(readdir(runs))) ?? [];
    for (const id of ids.toSorted().toReversed())
      if (
        !isTemporaryName(id) &&
        (await unlessMissing(stat(join(runs, id, runLayout.experiment)))) !== undefined
      )
        found.push(join(runs, id));
  }
  return found;
}

function sameSweep(a: SweepPlace | undefined, b: SweepPlace | undefined): boolean {
  return a?.folder === b?.folder && a?.runs === b?.runs;
}

/** Where two records of steps part; a step that was done again is another object. */
function firstChange(before: readonly Step[], now: readonly Step[]): number {
  let same = Math.min(before.length, now.length);
  while (same > 0 && before[same - 1] !== now[same - 1]) same -= 1;
  return same;
}

function stampOf(evaluations: readonly Evaluation[]): string {
  return evaluations.map(({ step, split, moment }) => `${step}/${split}/${moment}`).join(" ");
}
