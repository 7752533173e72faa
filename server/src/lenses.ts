/** @file What can be done with the file, above its first line and above its sweep. */
import { entryOf } from "../../src/shared/experiment/tree.ts";
import { pointCount } from "../../src/shared/experiment/checks/swept-fields.ts";
import type { Analysis } from "./analysis.ts";

export interface Lens {
  readonly start: number;
  readonly end: number;
  readonly title: string;
  /** Command of the editor's side, called with the file. */
  readonly command: LensCommand;
}

export const lensCommands = {
  run: "spectune.run",
  runSweep: "spectune.runSweep",
  plan: "spectune.plan",
  analyze: "spectune.analyze",
} as const;

export type LensCommand = (typeof lensCommands)[keyof typeof lensCommands];

export function lenses({ written, experiment }: Analysis): readonly Lens[] {
  const root = written();
  const [first] = root.entries;
  if (first === undefined) return [];
  const { start, end } = first.keyAt;
  const sweep = experiment?.sweep ?? null;
  const key = entryOf(root, "sweep")?.keyAt;
  const points = sweep === null ? 0 : pointCount(sweep) * (sweep.seeds?.length ?? 1);
  return [
    { start, end, title: "$(play) Run", command: lensCommands.run },
    { start, end, title: "Plan", command: lensCommands.plan },
    { start, end, title: "Analyze", command: lensCommands.analyze },
    ...(key === undefined || points < 2
      ? []
      : [
          {
            start: key.start,
            end: key.end,
            title: `$(play) Run sweep (${points} runs)`,
            command: lensCommands.runSweep,
          },
        ]),
  ];
}
