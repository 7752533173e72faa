/** @file Which runs belong to a sweep: read from the sweeps' records, again whenever one of them changes. */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { unlessMissing } from "../../engine/runs/file-errors.ts";
import { runsFolder } from "../../engine/runs/run-folder.ts";
import {
  listSweeps,
  loadRecord,
  recordFile,
  sweepsFolder,
} from "../../engine/sweeps/sweep-folder.ts";
import type { SweepPlace } from "../../shared/run-head.ts";

export interface SweepPlaces {
  /** The place of each run that has one, by the run's folder. */
  readonly look: (spectuneFolders: readonly string[]) => Promise<ReadonlyMap<string, SweepPlace>>;
}

interface Read {
  /** Of the record's file. */
  readonly stamp: string;
  readonly places: readonly (readonly [run: string, place: SweepPlace])[];
}

export function sweepPlaces(): SweepPlaces {
  const known = new Map<string, Read>();
  const placesOf = async (spectune: string, id: string): Promise<Read["places"]> => {
    const folder = join(sweepsFolder(spectune), id);
    const file = await unlessMissing(stat(recordFile(folder)));
    // A record is replaced, never written in place; two within a tick of the clock differ in their inode.
    const stamp = `${file?.ino ?? 0} ${file?.mtimeMs ?? 0} ${file?.size ?? 0}`;
    const before = known.get(folder);
    if (before?.stamp === stamp) return before.places;
    // A record that is damaged, or gone by now: its runs stand alone.
    const record = await loadRecord(folder).catch(() => undefined);
    const runs = record?.runs ?? [];
    const places = runs.flatMap(({ run, label, seed, kind }) =>
      run === undefined
        ? []
        : [
            [
              join(runsFolder(spectune), run),
              { folder, name: record?.name ?? id, label, seed, kind, runs: runs.length },
            ] as const,
          ],
    );
    known.set(folder, { stamp, places });
    return places;
  };
  return {
    look: async (spectuneFolders) => {
      const found = new Map<string, SweepPlace>();
      for (const spectune of spectuneFolders)
        for (const id of await listSweeps(spectune))
          for (const [run, place] of await placesOf(spectune, id)) found.set(run, place);
      return found;
    },
  };
}
