/** @file Counts over the checkpoints of a training, and over the runs of a sweep, at the thresholds that are set. */
import type { Found } from "../../analysis/documents.ts";
import type { LineSeries } from "../../charts/decimate.ts";
import type { Say } from "../../shared/say.ts";
import { mean } from "../../../src/shared/sums.ts";
import { matrixOf, sumOf } from "./counts.ts";

type Intruders = Found<"intruders">;

/** What a document is of, in few words. */
export function labelOf({ document: { tuned, time } }: Intruders, say: Say): string {
  const { member, step } = tuned ?? {};
  return [
    member === undefined ? "" : `${member.label} · ${say("seed {0}", member.seed)}`,
    step === undefined ? "" : say("step {0}", step),
    member === undefined && step === undefined ? time.replace("T", " ").slice(0, 16) : "",
  ]
    .filter(Boolean)
    .join(" · ");
}

/** The newest document of each checkpoint, by step; no curve where there are fewer than two. */
export function overTraining(
  found: readonly Intruders[],
  epsilon: number,
  k: number,
  say: Say,
): readonly LineSeries[] {
  const bySteps = new Map<number, Intruders>();
  for (const one of found) {
    const { step, member } = one.document.tuned ?? {};
    if (step !== undefined && member === undefined) bySteps.set(step, one);
  }
  if (bySteps.size < 2) return [];
  const sorted = [...bySteps].toSorted(([a], [b]) => a - b);
  const counts = sorted.map(([, { document }]) =>
    sumOf(document.matrices.map(matrixOf), epsilon, k),
  );
  const x = Float64Array.from(sorted, ([step]) => step);
  const certain = {
    label: say("certain"),
    points: { x, y: Float64Array.from(counts, (count) => count.certain) },
  };
  if (counts.every(({ open }) => open === 0)) return [certain];
  const y = Float64Array.from(counts, (count) => count.certain + count.open);
  return [certain, { label: say("with undecided"), points: { x, y } }];
}

export interface SweepTable {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
}

/** A row for each configuration of a sweep: its runs' counts, and their own figures; undefined without a sweep. */
export function overSweep(
  found: readonly Intruders[],
  epsilon: number,
  k: number,
  say: Say,
): SweepTable | undefined {
  const groups = new Map<string, Map<number, Intruders>>();
  for (const one of found) {
    const { member } = one.document.tuned ?? {};
    if (member === undefined) continue;
    const group = groups.get(member.label) ?? new Map<number, Intruders>();
    groups.set(member.label, group.set(member.seed, one));
  }
  if (groups.size === 0) return undefined;
  const members = [...groups.values()].flatMap((group) => [...group.values()]);
  const metrics = [
    ...new Set(
      members.flatMap(({ document }) => Object.keys(document.tuned?.member?.metrics ?? {})),
    ),
  ];
  return {
    columns: [
      say("Configuration"),
      say("Runs"),
      say("Mean"),
      say("Least"),
      say("Most"),
      ...metrics,
    ],
    rows: [...groups].map(([label, group]) => {
      const runs = [...group.values()];
      const counts = runs.map(
        ({ document }) => sumOf(document.matrices.map(matrixOf), epsilon, k).certain,
      );
      return [
        label,
        runs.length,
        mean(counts),
        Math.min(...counts),
        Math.max(...counts),
        ...metrics.map((name) =>
          mean(runs.map(({ document }) => document.tuned?.member?.metrics[name] ?? NaN)),
        ),
      ];
    }),
  };
}
