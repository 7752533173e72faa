/** @file What a report shows of spectra: a map of the model, each matrix's figures, and curves of the largest changes. */
import type { SpectraDocument } from "../../shared/analysis-documents.ts";
import type { MatrixSpectraRecord } from "../../shared/spectra-records.ts";
import type { CaptionFacts } from "./caption.ts";
import { captionTail } from "./caption.ts";
import { labelOf } from "./intruder-blocks.ts";
import { layerMap } from "./layer-map.ts";
import { lineChart } from "./line-chart.ts";
import type { Block } from "./page.ts";

/** Matrices whose curves are drawn: of all there are only figures. */
const mostCurves = 8;

/** One question asked of one or several checkpoints, in the order of their steps: the last is shown whole. */
export function spectraBlocks(
  documents: readonly SpectraDocument[],
  facts: CaptionFacts,
): readonly Block[] {
  const shown = documents.at(-1);
  if (!shown) return [];
  const { matrices } = shown;
  const said = `${matrices.length} matrices; ${captionTail(facts)}`;
  const label = labelOf(shown);
  const changed = matrices.some(({ update }) => update !== undefined);
  const drawn = matrices
    .toSorted((a, b) => (b.update?.relativeSize ?? 0) - (a.update?.relativeSize ?? 0))
    .slice(0, mostCurves);
  return [
    { kind: "heading", text: `Spectra of ${label}` },
    ...(documents.length > 1 ? [overTraining(documents, said)] : []),
    layerMap(
      `Stable rank ‖W‖²_F/σ₁² by layer and module, ${label}, ${said}`,
      matrices,
      (r) => (r.tuned ?? r.base).stableRank,
    ),
    ...(changed
      ? [
          layerMap(
            `‖ΔW‖/‖W₀‖ by layer and module, ${label}, ${said}`,
            matrices,
            (r) => r.update?.relativeSize ?? 0,
          ),
        ]
      : []),
    {
      kind: "table",
      caption: `Each matrix, ${label}, ${said} α is refused where fewer than 50 values are left.`,
      table: {
        head: [
          ...["matrix", "out", "in", "σ₁", "stable rank", "effective rank", "numerical rank", "α"],
          ...["± of α", "‖ΔW‖/‖W₀‖", "effective rank of ΔW", "alignment 1"],
        ],
        rows: matrices.map((r) => {
          const { sigma, stableRank, effectiveRank, numericalRank, powerLaw } = r.tuned ?? r.base;
          const refused = "refused" in powerLaw;
          return [
            ...[r.name, r.out, r.in],
            (sigma[0] ?? 0).toPrecision(4),
            stableRank.toFixed(1),
            effectiveRank.toFixed(1),
            numericalRank,
            refused ? "refused" : powerLaw.alpha.toFixed(2),
            refused ? "" : powerLaw.sigmaAlpha.toFixed(2),
            r.update?.relativeSize.toFixed(4) ?? "",
            r.update?.spectrum.effectiveRank.toFixed(1) ?? "",
            r.update?.alignment[0]?.share.toFixed(3) ?? "",
          ];
        }),
      },
    },
    ...drawn.map((record) => curves(record, captionTail(facts))),
    ...(matrices.length > mostCurves
      ? [
          {
            kind: "paragraph" as const,
            text: `Drawn are the ${mostCurves} matrices that changed most; the analysis file has all ${matrices.length}.`,
          },
        ]
      : []),
  ];
}

function overTraining(documents: readonly SpectraDocument[], said: string): Block {
  const rows = documents.map(({ tuned, matrices }): readonly [number, number] => [
    tuned?.step ?? 0,
    matrices.reduce((total, { update }) => total + (update?.relativeSize ?? 0), 0) /
      Math.max(1, matrices.length),
  ]);
  return {
    kind: "chart",
    caption: `‖ΔW‖/‖W₀‖ over training, mean of ${said}`,
    svg: lineChart({
      x: "step",
      y: "‖ΔW‖/‖W₀‖",
      series: [{ name: "mean of the matrices", points: rows }],
    }),
    table: { head: ["step", "mean ‖ΔW‖/‖W₀‖"], rows },
  };
}

function curves(record: MatrixSpectraRecord, tail: string): Block {
  const { update } = record;
  const series = [
    { name: "base", sigma: record.base.sigma },
    ...(record.tuned ? [{ name: "tuned", sigma: record.tuned.sigma }] : []),
    ...(update ? [{ name: "update", sigma: update.spectrum.sigma }] : []),
    // A difference of stored weights is of full rank by rounding alone.
    ...(update && update.roundingFloor > 0
      ? [
          {
            name: "rounding of the update",
            sigma: update.spectrum.sigma.map(() => update.roundingFloor),
          },
        ]
      : []),
  ];
  const longest = series.reduce((most, { sigma }) => Math.max(most, sigma.length), 0);
  return {
    kind: "chart",
    caption: `Singular values of ${record.name} [${record.out}, ${record.in}], ${record.baseDtype}, ${tail}`,
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
}
