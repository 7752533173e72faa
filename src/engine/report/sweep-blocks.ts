/** @file What a report shows of a sweep: its configurations with intervals over seeds, their curves, and their intruders. */
import { at } from "../../shared/errors.ts";
import type { ComparedMetric, Comparison, ConfigDifference } from "../../shared/comparison.ts";
import { inline } from "../../shared/experiment/describe.ts";
import type { RunComparison } from "../analyze/over-runs.ts";
import type { MeanOfSeeds } from "../statistics/over-seeds.ts";
import type { CaptionFacts } from "./caption.ts";
import { captionTail } from "./caption.ts";
import type { Series } from "./line-chart.ts";
import { lineChart } from "./line-chart.ts";
import type { Block } from "./page.ts";
import type { ReportedRun } from "./run-blocks.ts";

/** `runs` by their folders' names. */
export function sweepBlocks(
  comparison: Comparison,
  runs: ReadonlyMap<string, ReportedRun>,
  facts: CaptionFacts,
): readonly Block[] {
  const { groups, confidence } = comparison;
  const said = `intervals of ${confidence * 100} % over seeds (Student's t; over examples where there is one seed); ${captionTail(facts)}`;
  const metrics = [...new Set(groups.flatMap((group) => Object.keys(group.metrics)))];
  const curves = groups.flatMap(({ label, runs: own }): readonly Series[] => {
    const steps = own.flatMap(({ id }) => runs.get(id)?.view.steps ?? []);
    const points = thinned([...Map.groupBy(steps, ({ step }) => step)]).map(
      ([step, its]): readonly [number, number] => [
        step,
        its.reduce((sum, { loss }) => sum + loss, 0) / its.length,
      ],
    );
    return points.length === 0 ? [] : [{ name: label, points }];
  });
  return [
    { kind: "heading", text: "Configurations" },
    {
      kind: "table",
      caption: `Means and ${said}`,
      table: {
        head: ["configuration", "runs", ...metrics, "trainable", "tokens", "steps"],
        rows: groups.map((group) => [
          group.label,
          group.runs.length,
          ...metrics.map((name) => metricText(group.metrics[name])),
          group.trainableParameters ?? "",
          group.tokens ?? "",
          group.steps ?? "",
        ]),
      },
    },
    ...(curves.length === 0
      ? []
      : [
          {
            kind: "chart" as const,
            caption: `Training loss, mean over seeds; ${captionTail(facts)}`,
            svg: lineChart({ x: "step", y: "loss", series: curves.slice(0, mostCurves) }),
            table: {
              head: ["configuration", "step", "loss"],
              rows: curves.flatMap(({ name, points }) =>
                points.map(([step, value]) => [name, step, value]),
              ),
            },
          },
        ]),
    ...(curves.length > mostCurves
      ? [
          {
            kind: "paragraph" as const,
            text: `Drawn are ${mostCurves} of ${curves.length} configurations; the table has all.`,
          },
        ]
      : []),
  ];
}

const mostCurves = 12;
const mostPoints = 200;

function thinned<T>(points: readonly T[]): readonly T[] {
  const step = Math.max(1, Math.ceil(points.length / mostPoints));
  return points.filter((_, i) => i % step === 0 || i === points.length - 1);
}

function metricText(metric: ComparedMetric | undefined): string {
  if (!metric) return "";
  const { mean, interval } = metric;
  const range = interval
    ? ` [${interval.low.toPrecision(4)}, ${interval.high.toPrecision(4)}]`
    : "";
  return `${mean.toPrecision(4)}${range}`;
}

/** Counts of each configuration; drawn over the first numeric field in which they differ, a curve for the rest. */
export function sweepIntruderBlocks(
  { matrices, groups }: RunComparison,
  { config, groups: compared, confidence }: Comparison,
  what: string,
  facts: CaptionFacts,
): readonly Block[] {
  const said = `${what}; the ${matrices.length} matrices that every run has; mean and ${confidence * 100} % interval over seeds; ${captionTail(facts)}`;
  const count = ({ mean, interval }: MeanOfSeeds): string =>
    `${mean.toFixed(1)}${interval ? ` [${interval.low.toFixed(1)}, ${interval.high.toFixed(1)}]` : ""}`;
  const places = new Map(compared.map(({ label }, place) => [label, place]));
  const drawn = config
    .filter(({ values }) => new Set(values.filter((one) => typeof one === "number")).size > 1)
    .map((field) => ({ field, series: curvesOver(field, config, groups, places) }))
    // The field over which the fewest curves have the most points.
    .toSorted((a, b) => a.series.length - b.series.length)[0];
  return [
    { kind: "heading", text: "Intruder dimensions over the runs" },
    {
      kind: "table",
      caption: `Counts, ${said}`,
      table: {
        head: ["configuration", "seeds", "intruders", "undecided", "energy"],
        rows: groups.map(({ label, seeds, intruders, undecided, energy }) => [
          label,
          seeds.join(" "),
          count(intruders),
          count(undecided),
          energy.mean.toFixed(3),
        ]),
      },
    },
    ...(drawn === undefined || drawn.series.length === 0
      ? []
      : [
          {
            kind: "chart" as const,
            caption: `Counts over ${drawn.field.field}, ${said}`,
            svg: lineChart({
              x: drawn.field.field,
              y: "intruders",
              logX: spread(drawn.series.flatMap(({ points }) => points.map(([x]) => x))) > 4,
              series: drawn.series,
            }),
            table: {
              head: ["curve", drawn.field.field, "mean", "low", "high"],
              rows: drawn.series.flatMap(({ name, points, band = [] }) =>
                points.map(([x, mean]) => {
                  const ends = band.find(([place]) => place === x);
                  return [name, x, mean, ends?.[1] ?? "", ends?.[2] ?? ""];
                }),
              ),
            },
          },
        ]),
  ];
}

/** A curve for each choice of the other fields. */
function curvesOver(
  field: ConfigDifference,
  config: readonly ConfigDifference[],
  groups: RunComparison["groups"],
  places: ReadonlyMap<string, number>,
): readonly Series[] {
  // What a method lacks is absent: a field that all the others agree on tells no curves apart.
  const rest = config.filter(
    (one) =>
      one !== field &&
      new Set(one.values.flatMap((value) => (value === undefined ? [] : [inline(value)]))).size > 1,
  );
  const located = groups.flatMap((group) => {
    const place = places.get(group.label) ?? -1;
    const x = field.values[place];
    if (typeof x !== "number") return [];
    const words = rest.flatMap(({ field: name, values }) => {
      const value = values[place];
      return value === undefined ? [] : [`${name.split(".").at(-1) ?? name} ${inline(value)}`];
    });
    return [{ x, name: words.join(", "), group }];
  });
  return [...Map.groupBy(located, ({ name }) => name)].map(([name, its]): Series => {
    const sorted = its.toSorted((a, b) => a.x - b.x);
    return {
      name: name === "" ? "intruders" : name,
      points: sorted.map(({ x, group }) => [x, group.intruders.mean]),
      band: sorted.flatMap(({ x, group: { intruders } }) =>
        intruders.interval
          ? [[x, Math.max(0, intruders.interval.low), intruders.interval.high] as const]
          : [],
      ),
    };
  });
}

/** How often the least goes into the greatest; 0 where a logarithm has no place. */
function spread(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted.length === 0 || at(sorted, 0) <= 0
    ? 0
    : at(sorted, sorted.length - 1) / at(sorted, 0);
}
