/** @file What a report shows of intruder dimensions: counts over ε, k and training, cosines, controls, each matrix. */
import type { IntrudersDocument } from "../../shared/analysis-documents.ts";
import type { ControlKind, MatrixIntrudersRecord } from "../../shared/intruder-records.ts";
import { controlKinds } from "../../shared/intruder-records.ts";
import { sum } from "../../shared/sums.ts";
import { countTable, likelyText, totalOf } from "../analyze/counts.ts";
import { bars } from "./bars.ts";
import type { CaptionFacts } from "./caption.ts";
import { captionTail } from "./caption.ts";
import { layerMap } from "./layer-map.ts";
import type { Series } from "./line-chart.ts";
import { lineChart } from "./line-chart.ts";
import type { Block } from "./page.ts";

/** One question asked of one or several checkpoints, in the order of their steps. */
export function intruderBlocks(
  documents: readonly IntrudersDocument[],
  facts: CaptionFacts,
): readonly Block[] {
  const shown = documents.at(-1);
  const [first] = shown?.matrices ?? [];
  if (!shown || !first) return [];
  const { matrices } = shown;
  const said = `${kindOfCount(shown)}; ${matrices.length} matrices; ${captionTail(facts)}`;
  const label = labelOf(shown);
  return [
    { kind: "heading", text: `Intruder dimensions of ${label}` },
    {
      kind: "paragraph",
      text: `${totalOf(matrices)} of the ${sum(matrices.map(({ k }) => k))} strongest left singular vectors have no cosine of ${first.epsilon} or more with any of the base's. Of a count that changes with ε the histogram tells more than the number; below the noise floor it says nothing. ${likelyText(matrices)}`.trim(),
    },
    ...(documents.length > 1 ? [overTraining(documents, said)] : []),
    overThresholds(documents.slice(-8), said),
    overCounts(matrices, first.epsilon, said),
    histogram(matrices, first.epsilon, `${label}, ${said}`),
    layerMap(`Intruders by layer and module, ${label}, ${said}`, matrices, ({ count }) => count),
    ...controls(matrices, said),
    {
      kind: "table",
      caption: `Each matrix, ${label}, ${said}`,
      table: {
        head: [
          ...["matrix", "out", "in", "intruders", "undecided", "basis-dependent"],
          ...["energy", "least max|cos|", "noise floor"],
        ],
        rows: matrices.map((r) => [
          ...[r.name, r.out, r.in, r.count, r.undecided, r.basisDependent],
          r.energy.toFixed(3),
          Math.min(1, ...r.vectors.map(({ upper }) => upper)).toFixed(3),
          r.noiseFloor.toFixed(3),
        ]),
      },
    },
  ];
}

/** ε, k and reference, as captions say them. */
export function kindOfCount({ matrices }: Pick<IntrudersDocument, "matrices">): string {
  const [first] = matrices;
  return `ε = ${first?.epsilon ?? ""}, k = ${kText(matrices)}, reference ${first?.reference ?? ""}`;
}

/** What a document is of: a step, a run of a sweep, or the folder's name. */
export function labelOf({ tuned }: Pick<IntrudersDocument, "tuned">): string {
  if (!tuned) return "the base";
  if (tuned.member) return `${tuned.member.label}, seed ${tuned.member.seed}`;
  if (tuned.step !== undefined) return `step ${tuned.step}`;
  const [name = tuned.path, parent] = tuned.path.split(/[\\/]/).toReversed();
  return parent && sayNothing.test(name) ? `${parent}/${name}` : name;
}

/** Names that folders of many trainings have alike. */
const sayNothing = /^(adapter|model|merged|final|last|best|output|checkpoint-\d+|step-\d+)$/;

function overTraining(documents: readonly IntrudersDocument[], said: string): Block {
  const rows = documents.map(({ tuned, matrices }): readonly [number, number, number] => [
    tuned?.step ?? 0,
    totalOf(matrices),
    totalOf(matrices) + sum(matrices.map(({ undecided }) => undecided)),
  ]);
  return {
    kind: "chart",
    caption: `Intruder dimensions over training, ${said}`,
    svg: lineChart({
      x: "step",
      y: "intruders",
      series: [
        { name: "intruders", points: rows.map(([step, count]) => [step, count]), band: rows },
      ],
    }),
    table: { head: ["step", "intruders", "with the undecided"], rows },
  };
}

function overThresholds(documents: readonly IntrudersDocument[], said: string): Block {
  const tables = documents.map((document) => ({
    name: labelOf(document),
    table: countTable(document.matrices),
  }));
  const shown = documents.at(-1)?.matrices ?? [];
  const column = (table: ReturnType<typeof countTable>): number =>
    table.vectors.indexOf(Math.max(...table.vectors));
  const series = tables.map(({ name, table }): Series => {
    const at = column(table);
    const of = (grid: typeof table.certain, i: number): number => grid[i]?.[at] ?? 0;
    return {
      name,
      points: table.epsilons.map((epsilon, i) => [epsilon, of(table.certain, i)]),
      band: table.epsilons.map((epsilon, i) => [
        epsilon,
        of(table.certain, i),
        of(table.possible, i),
      ]),
    };
  });
  const floor = median(shown.map(({ noiseFloor }) => noiseFloor));
  return {
    kind: "chart",
    caption: `Counts over ε, ${said} The band is what intervals leave open. Noise floor (median over matrices) ${floor.toFixed(3)}.`,
    svg: lineChart({
      x: "ε",
      y: "intruders",
      series,
      rules: [{ name: `noise floor ${floor.toFixed(3)}`, x: floor }],
    }),
    table: {
      head: ["ε", ...series.flatMap(({ name }) => [name, `${name}, at most`])],
      rows: (tables[0]?.table.epsilons ?? []).map((epsilon, i) => [
        epsilon,
        ...series.flatMap(({ band = [] }) => [band[i]?.[1] ?? "", band[i]?.[2] ?? ""]),
      ]),
    },
  };
}

function overCounts(
  matrices: readonly MatrixIntrudersRecord[],
  epsilon: number,
  said: string,
): Block {
  const { epsilons, ks, certain, vectors } = countTable(matrices);
  const wanted = [0.35, 0.5, 0.65, 0.8, epsilon];
  const rows = epsilons.flatMap((value, i) =>
    wanted.some((one) => Math.abs(one - value) < 1e-9) ? [i] : [],
  );
  const numbers = ks.flatMap((k, j) => (typeof k === "number" ? [{ k, j }] : []));
  const series = rows.map((i): Series => ({
    name: `ε = ${epsilons[i] ?? ""}`,
    points: numbers.map(({ k, j }) => [k, certain[i]?.[j] ?? 0]),
  }));
  const word = (k: (typeof ks)[number]): string =>
    typeof k === "number" ? String(k) : `${k.share * 100} %`;
  return {
    kind: "chart",
    caption: `Counts over k, the number of vectors of each matrix that are looked at; the table has shares of min(out, in) too. ${said}`,
    svg: lineChart({ x: "k", y: "intruders", series }),
    table: {
      head: ["k", "vectors", ...rows.map((i) => `ε = ${epsilons[i] ?? ""}`)],
      rows: ks.map((k, j) => [
        word(k),
        vectors[j] ?? "",
        ...rows.map((i) => certain[i]?.[j] ?? ""),
      ]),
    },
  };
}

const bins = 20;

/** Where only bounds are known, the middle of the interval stands for the vector. */
function histogram(
  matrices: readonly MatrixIntrudersRecord[],
  epsilon: number,
  said: string,
): Block {
  const vectors = matrices.flatMap((record) => record.vectors);
  const open = vectors.filter(({ lower, upper }) => upper - lower > 0.05).length;
  const counts = new Array<number>(bins).fill(0);
  for (const { lower, upper } of vectors) {
    const bin = Math.min(bins - 1, Math.floor(((lower + upper) / 2) * bins));
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  const edges = Array.from({ length: bins + 1 }, (_, i) => i / bins);
  const floor = median(matrices.map(({ noiseFloor }) => noiseFloor));
  const note =
    open === 0
      ? ""
      : ` ${open} of ${vectors.length} vectors are known by wider intervals, whose middle is shown: --exact tells them apart.`;
  return {
    kind: "chart",
    caption: `Largest cosine of each vector with the base's, ${said}${note}`,
    svg: bars({
      ...{ x: "max|cos|", y: "vectors", edges, counts },
      rules: [
        { name: `ε ${epsilon}`, x: epsilon },
        { name: "noise floor", x: floor },
      ],
    }),
    table: {
      head: ["from", "to", "vectors"],
      rows: counts.map((count, i) => [edges[i] ?? "", edges[i + 1] ?? "", count]),
    },
  };
}

export const controlWords: Readonly<Record<ControlKind, string>> = {
  random: "random update with ΔW's own singular values",
  rotated: "ΔW with its left directions turned at random",
  full: "a full fine-tuning's ΔW at the same ‖ΔW‖",
  quantization: "quantization alone",
};

function controls(matrices: readonly MatrixIntrudersRecord[], said: string): readonly Block[] {
  const rows = controlKinds.flatMap((kind) => {
    const own = matrices.flatMap((one) => (one.controls ?? []).filter((c) => c.kind === kind));
    const draws = Math.max(0, ...own.map((one) => one.draws.length));
    if (draws === 0) return [];
    const totals = Array.from({ length: draws }, (_, draw) =>
      sum(own.map((one) => one.draws[draw]?.count ?? 0)),
    );
    const undecided = sum(own.map((one) => one.draws[0]?.undecided ?? 0));
    return [[controlWords[kind], draws, (sum(totals) / draws).toFixed(1), undecided] as const];
  });
  if (rows.length === 0) return [];
  const open = sum(matrices.map(({ undecided }) => undecided));
  return [
    {
      kind: "table",
      caption: `Controls beside the count, ${said} What a control of equal size reaches too is no property of the training.`,
      table: {
        head: ["update", "draws", "intruders", "undecided"],
        rows: [["as trained", 1, String(totalOf(matrices)), open], ...rows],
      },
    },
  ];
}

/** `10`, or `4 to 10`: of how many vectors verdicts were asked for. */
export function kText(records: readonly MatrixIntrudersRecord[]): string {
  const ks = [...new Set(records.map(({ k }) => k))].toSorted((a, b) => a - b);
  return ks.length === 1 ? String(ks[0]) : `${ks[0] ?? ""} to ${ks.at(-1) ?? ""}`;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
