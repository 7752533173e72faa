/** @file Follows a changing set of runs for one page, and only those. */
import type { CurveChunk } from "../../shared/curves.ts";
import type { Evaluation } from "../../shared/protocol.ts";
import type { FollowedRun } from "../../shared/workbench.ts";
import type { WorkbenchClient } from "../workbench-client.ts";

export interface FollowEvents {
  readonly curve: (told: { readonly run: string; readonly chunk: CurveChunk }) => void;
  readonly evaluations: (told: {
    readonly run: string;
    readonly evaluations: readonly Evaluation[];
  }) => void;
}

export interface Following {
  /** From now on these and no others; all that there is of them. */
  readonly follow: (runs: readonly string[]) => Promise<readonly FollowedRun[]>;
  readonly dispose: () => void;
}

export function followRuns(workbench: WorkbenchClient, events: FollowEvents): Following {
  let followed: readonly string[] = [];
  const release = (run: string): void => {
    // A workbench that is gone follows nothing.
    workbench.ask("unfollow", { run }).catch(() => undefined);
  };
  const stops = [
    workbench.on("curve", (told) => {
      if (followed.includes(told.run)) events.curve(told);
    }),
    workbench.on("evaluations", (told) => {
      if (followed.includes(told.run)) events.evaluations(told);
    }),
  ];
  return {
    follow: async (runs) => {
      const before = followed;
      followed = runs;
      const all = await Promise.all(runs.map((run) => workbench.ask("follow", { run })));
      before.forEach(release);
      return all;
    },
    dispose: () => {
      for (const stop of stops) stop();
      followed.forEach(release);
      followed = [];
    },
  };
}
