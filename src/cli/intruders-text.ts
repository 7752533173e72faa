/** @file What `intruders` tells people: a table of matrices, of checkpoints, or of the configurations of a sweep. */
import { countGrid, likelyText, totalOf } from "../engine/analyze/counts.ts";
import type { RunComparison } from "../engine/analyze/over-runs.ts";
import type { LookResult } from "../engine/lab/look.ts";
import { sideLabel } from "../engine/lab/open-sides.ts";
import type { MeanOfSeeds } from "../engine/statistics/over-seeds.ts";
import type { ControlKind, MatrixIntrudersRecord } from "../shared/intruder-records.ts";
import { controlKinds } from "../shared/intruder-records.ts";
import { figure, percent, table } from "./format.ts";
import { controlTotal } from "../shared/control-counts.ts";
import { kText } from "../engine/report/intruder-blocks.ts";

/** A row for each matrix, and below what it means. */
export function intrudersTable(records: readonly MatrixIntrudersRecord[]): string {
  const columns = [
    ["matrix", ({ name }) => name],
    ["out×in", ({ out, in: width }) => `${out}×${width}`],
    ["intruders", ({ count }) => String(count)],
    ["undecided", ({ undecided }) => (undecided === 0 ? "" : String(undecided))],
    ["basis-dependent", ({ basisDependent: of }) => (of === 0 ? "" : String(of))],
    ["energy", ({ energy }) => percent(energy)],
    ["least max|cos|", ({ vectors }) => least(vectors)],
    ["noise floor", ({ noiseFloor }) => noiseFloor.toFixed(3)],
  ] satisfies readonly (readonly [string, (record: MatrixIntrudersRecord) => string])[];
  // What no matrix has takes no column.
  const filled = columns.filter(([, cell]) => records.some((record) => cell(record) !== ""));
  const head = filled.map(([title], column) => ({ title, right: column > 0 }));
  const rows = records.map((record) => filled.map(([, cell]) => cell(record)));
  const [first] = records;
  const total = totalOf(records);
  const said = `${total} intruder dimension${total === 1 ? "" : "s"} in ${records.length} matrices (ε ${first?.epsilon ?? ""}, k ${kText(records)}, reference ${first?.reference ?? ""}, n = 1)`;
  const likely = likelyText(records);
  const note = likely === "" ? "" : `${likely}\n`;
  return `${table(head, rows)}\n${said}\n${note}${gridText(records)}${controlsText(records)}`;
}

/** The vector that is least like the base, as far as it is known. */
function least(vectors: MatrixIntrudersRecord["vectors"]): string {
  const lowest = vectors.toSorted((a, b) => a.upper - b.upper)[0];
  if (!lowest) return "";
  const { lower, upper } = lowest;
  return upper - lower < 5e-4 ? upper.toFixed(3) : `${lower.toFixed(2)}–${upper.toFixed(2)}`;
}

/** Counts over ε at the largest k. What the intervals leave open is told as a range. */
function gridText(records: readonly MatrixIntrudersRecord[]): string {
  const epsilons = [0.2, 0.35, 0.5, 0.65, 0.8];
  const { certain, possible } = countGrid(records, epsilons, [Infinity]);
  const cells = epsilons.map((epsilon, row) => {
    const [low, high] = [certain[row]?.[0] ?? 0, possible[row]?.[0] ?? 0];
    return `ε ${epsilon}: ${low === high ? low : `${low} to ${high}`}`;
  });
  return `counts over ε: ${cells.join("   ")}\n`;
}

const controlWords: Readonly<Record<ControlKind, string>> = {
  random: "a random update with ΔW's own singular values",
  rotated: "ΔW with its left directions turned at random",
  full: "the full fine-tuning's ΔW at the same ‖ΔW‖",
  quantization: "quantization alone",
};

/** A line for each control: the count of all matrices, its mean over the draws. */
function controlsText(records: readonly MatrixIntrudersRecord[]): string {
  return controlKinds
    .map((kind) => {
      const total = controlTotal(records, kind);
      if (!total) return "";
      const { mean, draws, open } = total;
      const how = draws === 1 ? "" : ` (mean of ${draws} draws)`;
      const undecided = open === 0 ? "" : `, ${tenth(open)} undecided`;
      return `control: ${controlWords[kind]}: ${tenth(mean)}${undecided}${how}\n`;
    })
    .join("");
}

/** The configurations of a sweep: means over seeds. */
export function groupsTable({ matrices, groups }: RunComparison): string {
  const metrics = [...new Set(groups.flatMap((group) => Object.keys(group.metrics)))].slice(0, 4);
  const rows = groups.map((group) => [
    group.label,
    String(group.seeds.length),
    meanText(group.intruders, tenth),
    group.undecided.mean === 0 ? "" : meanText(group.undecided, tenth),
    percent(group.energy.mean),
    ...metrics.map((name) => {
      const value = group.metrics[name];
      return value ? meanText(value, figure) : "";
    }),
  ]);
  const head = [
    { title: "configuration" },
    { title: "n", right: true },
    { title: "intruders", right: true },
    { title: "undecided", right: true },
    { title: "energy", right: true },
    ...metrics.map((title) => ({ title, right: true })),
  ];
  const most = Math.max(...groups.map(({ seeds }) => seeds.length));
  const note =
    most > 1
      ? "± is half the 95 % interval over seeds (Student's t)"
      : "n = 1: one seed has no interval";
  return `${table(head, rows)}\nof the ${matrices.length} matrices that every run has; ${note}\n`;
}

function meanText({ mean, interval }: MeanOfSeeds, written: (value: number) => string): string {
  return interval === undefined
    ? written(mean)
    : `${written(mean)} ± ${written((interval.high - interval.low) / 2)}`;
}

/** A mean of counts. */
function tenth(value: number): string {
  return String(Number(value.toFixed(1)));
}

/** Several sides: a row for each. */
export function checkpointsTable(looks: readonly LookResult<MatrixIntrudersRecord>[]): string {
  const rows = looks.map(({ side, records }) => {
    const energies = records.map(({ energy }) => energy);
    const mean = energies.reduce((sum, energy) => sum + energy, 0) / Math.max(1, energies.length);
    const undecided = records.reduce((sum, record) => sum + record.undecided, 0);
    const having = records.filter(({ count }) => count > 0).length;
    return [
      sideLabel(side),
      String(totalOf(records)),
      String(having),
      String(undecided),
      percent(mean),
    ];
  });
  const head = [
    { title: "checkpoint" },
    { title: "intruders", right: true },
    { title: "in matrices", right: true },
    { title: "undecided", right: true },
    { title: "mean energy", right: true },
  ];
  return table(head, rows);
}
