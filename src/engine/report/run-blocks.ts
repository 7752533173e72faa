/** @file What a report shows of a run, or of several: loss curves, measurements, samples. */
import type { RunEvent } from "../../shared/protocol.ts";
import type { Block } from "./page.ts";
import type { Series } from "./svg.ts";
import { lineChart } from "./svg.ts";

export interface ReportedRun {
  readonly label: string;
  readonly seed: number;
  readonly events: readonly RunEvent[];
}

/** Steps that a resumed run has repeated count once, as the last attempt had them. */
export function runBlocks(runs: readonly ReportedRun[], version: string): readonly Block[] {
  const seeds = [...new Set(runs.map(({ seed }) => seed))];
  const said = `n = ${runs.length} run${runs.length === 1 ? "" : "s"}, seed${seeds.length === 1 ? "" : "s"} ${seeds.join(", ")}; spectune ${version}.`;
  const loss = runs.map(({ label, events }): Series => {
    const byStep = new Map<number, number>();
    for (const event of events) if (event.type === "step") byStep.set(event.step, event.loss);
    return { name: label, points: [...byStep].toSorted(([a], [b]) => a - b) };
  });
  const evals = runs.flatMap(({ label, events }) =>
    events.flatMap((event) => (event.type === "eval" ? [{ label, event }] : [])),
  );
  const samples = runs.flatMap(({ label, events }) =>
    events.flatMap((event): readonly Block[] =>
      event.type === "sample"
        ? [
            {
              kind: "sample",
              text: `${label}, step ${event.step}\n${event.prompt}\n→ ${event.completion}`,
            },
          ]
        : [],
    ),
  );
  const names = [...new Set(evals.flatMap(({ event }) => Object.keys(event.metrics)))];
  return [
    { kind: "heading", text: "Training" },
    {
      kind: "chart",
      caption: `Training loss, ${said}`,
      svg: lineChart({ x: "step", y: "loss", series: loss }),
      table: {
        head: ["run", "step", "loss"],
        rows: loss.flatMap(({ name, points }) =>
          points.map(([step, value]) => [name, step, value]),
        ),
      },
    },
    {
      kind: "table",
      caption: `Measurements, ${said}`,
      table: {
        head: ["run", "split", "moment", "step", "examples", ...names],
        rows: evals.map(({ label, event }) => [
          label,
          event.split,
          event.moment,
          event.step,
          event.examples,
          ...names.map((name) => event.metrics[name]?.toPrecision(4) ?? ""),
        ]),
      },
    },
    ...(samples.length === 0 ? [] : [{ kind: "heading" as const, text: "Samples" }, ...samples]),
  ];
}
