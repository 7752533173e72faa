/** @file What a report shows of spectra and intruder dimensions. */
import type { MatrixIntrudersRecord } from "../../shared/intruder-records.ts";
import type { MatrixSpectraRecord } from "../../shared/spectra-records.ts";
import { countGrid, totalOf } from "../analyze/counts.ts";
import type { Block } from "./page.ts";
import { heatMap, lineChart } from "./svg.ts";

/** One checkpoint, run or adapter, by what it is called. */
export interface Labelled<R> {
  readonly label: string;
  readonly step: number | undefined;
  readonly records: readonly R[];
}

/** Seeds and version, as every caption says them. */
export interface CaptionFacts {
  readonly version: string;
  readonly seeds: readonly number[];
}

function tail({ version, seeds }: CaptionFacts): string {
  const known =
    seeds.length === 0
      ? "n = 1"
      : `n = ${seeds.length}, seed${seeds.length === 1 ? "" : "s"} ${seeds.join(", ")}`;
  return `${known}; spectune ${version}.`;
}

const epsilons = Array.from({ length: 19 }, (_, i) => (i + 1) / 20);

export function intruderBlocks(
  looks: readonly Labelled<MatrixIntrudersRecord>[],
  facts: CaptionFacts,
): readonly Block[] {
  const shown = looks.at(-1);
  if (!shown) return [];
  const { records } = shown;
  const [first] = records;
  const said = `ε = ${first?.epsilon ?? ""}, k = ${Math.max(...records.map(({ k }) => k))}, reference ${first?.reference ?? ""}; ${records.length} matrices; ${tail(facts)}`;
  const lines = looks.slice(-8).flatMap(({ label, records: own }) => {
    const { certain, possible } = countGrid(own, epsilons, [Infinity]);
    const points = (grid: readonly (readonly number[])[]) =>
      epsilons.map((epsilon, i): readonly [number, number] => [epsilon, grid[i]?.[0] ?? 0]);
    const open = certain.join() !== possible.join();
    return [
      { name: label, points: points(certain) },
      ...(open ? [{ name: `${label}, at most`, points: points(possible) }] : []),
    ];
  });
  const floor = median(records.map(({ noiseFloor }) => noiseFloor));
  const steps = looks.filter(({ step }) => step !== undefined);
  return [
    { kind: "heading", text: "Intruder dimensions" },
    ...(steps.length > 1
      ? [
          {
            kind: "chart" as const,
            caption: `Intruder dimensions over training, ${said}`,
            svg: lineChart({
              x: "step",
              y: "intruders",
              series: [
                {
                  name: "total",
                  points: steps.map(({ step = 0, records: own }) => [step, totalOf(own)]),
                },
              ],
            }),
            table: {
              head: ["step", "intruders"],
              rows: steps.map(({ step = 0, records: own }) => [step, totalOf(own)]),
            },
          },
        ]
      : []),
    {
      kind: "chart",
      caption: `Counts over ε, ${said} Noise floor (median over matrices) ${floor.toFixed(3)}: below it a count says nothing.`,
      svg: lineChart({
        x: "ε",
        y: "intruders",
        series: [
          ...lines,
          {
            name: "noise floor",
            points: [
              [floor, 0],
              [floor, Math.max(1, ...lines.flatMap(({ points }) => points.map(([, y]) => y)))],
            ],
          },
        ],
      }),
      table: {
        head: ["ε", ...lines.map(({ name }) => name)],
        rows: epsilons.map((epsilon, i) => [
          epsilon,
          ...lines.map(({ points }) => points[i]?.[1] ?? ""),
        ]),
      },
    },
    ...layerMap(
      `Intruders by layer and module, ${shown.label}, ${said}`,
      records,
      ({ count }) => count,
    ),
    {
      kind: "table",
      caption: `Each matrix, ${shown.label}, ${said}`,
      table: {
        head: [
          "matrix",
          "out",
          "in",
          "intruders",
          "undecided",
          "basis-dependent",
          "energy",
          "noise floor",
        ],
        rows: records.map((r) => [
          r.name,
          r.out,
          r.in,
          r.count,
          r.undecided,
          r.basisDependent,
          r.energy.toFixed(3),
          r.noiseFloor.toFixed(3),
        ]),
      },
    },
  ];
}

export function spectraBlocks(
  looks: readonly Labelled<MatrixSpectraRecord>[],
  facts: CaptionFacts,
): readonly Block[] {
  const shown = looks.at(-1);
  if (!shown) return [];
  const { records } = shown;
  const said = `${records.length} matrices; ${tail(facts)}`;
  const most = 12;
  const charts = records.slice(0, most).map((record): Block => {
    const series = [
      { name: "base", sigma: record.base.sigma },
      ...(record.tuned ? [{ name: "tuned", sigma: record.tuned.sigma }] : []),
      ...(record.update ? [{ name: "update", sigma: record.update.spectrum.sigma }] : []),
    ];
    const longest = Math.max(...series.map(({ sigma }) => sigma.length));
    return {
      kind: "chart",
      caption: `Singular values of ${record.name} [${record.out}, ${record.in}], ${tail(facts)}`,
      svg: lineChart({
        x: "index",
        y: "σ",
        logY: true,
        series: series.map(({ name, sigma }) => ({
          name,
          points: sigma.map((value, i) => [i + 1, value]),
        })),
      }),
      table: {
        head: ["index", ...series.map(({ name }) => name)],
        rows: Array.from({ length: longest }, (_, i) => [
          i + 1,
          ...series.map(({ sigma }) => sigma[i] ?? ""),
        ]),
      },
    };
  });
  return [
    { kind: "heading", text: `Spectra: ${shown.label}` },
    ...layerMap(
      `Stable rank by layer and module, ${said}`,
      records,
      (r) => (r.tuned ?? r.base).stableRank,
    ),
    ...(records.some(({ update }) => update)
      ? layerMap(
          `‖ΔW‖/‖W₀‖ by layer and module, ${said}`,
          records,
          (r) => r.update?.relativeSize ?? 0,
        )
      : []),
    {
      kind: "table",
      caption: `Each matrix, ${said}`,
      table: {
        head: [
          "matrix",
          "out",
          "in",
          "σ₁",
          "stable rank",
          "effective rank",
          "numerical rank",
          "α",
          "‖ΔW‖/‖W₀‖",
        ],
        rows: records.map((r) => {
          const s = r.tuned ?? r.base;
          const alpha = "refused" in s.powerLaw ? s.powerLaw.refused : s.powerLaw.alpha.toFixed(2);
          return [
            r.name,
            r.out,
            r.in,
            (s.sigma[0] ?? 0).toPrecision(4),
            s.stableRank.toFixed(1),
            s.effectiveRank.toFixed(1),
            s.numericalRank,
            alpha,
            r.update ? r.update.relativeSize.toFixed(4) : "",
          ];
        }),
      },
    },
    ...charts,
    ...(records.length > most
      ? [
          {
            kind: "paragraph" as const,
            text: `${records.length - most} more matrices are in the analysis file; --matrices chooses others.`,
          },
        ]
      : []),
  ];
}

/** Mean over what shares a cell, such as the parts of a fused projection. */
function layerMap<R extends { readonly layer: number | undefined; readonly module: string }>(
  caption: string,
  records: readonly R[],
  value: (record: R) => number,
): readonly Block[] {
  const layers = [...new Set(records.map(({ layer }) => layer))].toSorted(
    (a, b) => (a ?? -1) - (b ?? -1),
  );
  const modules = [...new Set(records.map(({ module }) => module))];
  const values = layers.map((layer) =>
    modules.map((module) => {
      const own = records.filter((record) => record.layer === layer && record.module === module);
      return own.length === 0
        ? undefined
        : own.reduce((sum, record) => sum + value(record), 0) / own.length;
    }),
  );
  const rows = layers.map((layer) => (layer === undefined ? "other" : `layer ${layer}`));
  return [
    {
      kind: "chart",
      caption,
      svg: heatMap({ rows, columns: modules, values }),
      table: {
        head: ["layer", ...modules],
        rows: rows.map((name, i) => [name, ...(values[i] ?? []).map((cell) => cell ?? "")]),
      },
    },
  ];
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
