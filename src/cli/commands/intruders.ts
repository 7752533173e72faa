/** @file `spectune intruders`: strong directions of tuned weights that the base did not have. */
import type { MatrixIntrudersRecord } from "../../shared/intruder-records.ts";
import { countGrid, totalOf } from "../../engine/analyze/counts.ts";
import { intrudersJson } from "../../engine/lab/look-intruders.ts";
import type { LookResult } from "../../engine/lab/look.ts";
import { sideLabel } from "../../engine/lab/open-sides.ts";
import { invariant } from "../../shared/errors.ts";
import type { Command } from "../define.ts";
import { percent, table } from "../format.ts";
import { intruderOptions, thresholdOptions } from "../intruder-options.ts";
import { filesText } from "../lab-files.ts";
import { chosenSides, lookOptions, sideOptions, wrong } from "../lab-options.ts";
import { ask } from "../lab.ts";
import { writeReport } from "../lab-report.ts";

export const intrudersCommand: Command = {
  name: "intruders",
  summary:
    "Find intruder dimensions: strong directions of tuned weights that the base did not have.",
  usage:
    "BASE (--adapter DIR | --tuned DIR | --checkpoints DIR) | --run RUN [--threshold 0.5] [--top 10|5%] [--reference base|official-fp16] [--exact] [--json]",
  positionals: { min: 0, max: 1 },
  options: {
    ...sideOptions,
    ...thresholdOptions,
    ...lookOptions,
  },
  async run(args, console) {
    const options = intruderOptions(args);
    const { place, sides, log, runFolder } = await chosenSides(args, console);
    const [side] = sides;
    if (side?.kind === "none" && place.question !== "original-dequantized")
      throw wrong("give what was trained: --adapter, --tuned, --run or --checkpoints.");
    const result = await ask({ kind: "intruders", place, sides, options }, console);
    invariant(result.kind === "intruders", "the lab answered another question");
    const { looks } = result;
    const report = await writeReport(args, console, { intruders: looks, log, runFolder });
    if (args.flag("json")) console.out(`${JSON.stringify(jsonOf(looks))}\n`);
    else console.out(`${looks.length === 1 ? one(looks) : many(looks)}${filesText(looks, report)}`);
    return 0;
  },
};

function jsonOf(looks: readonly LookResult<MatrixIntrudersRecord>[]): unknown {
  const [first] = looks;
  if (looks.length === 1 && first) return { ...intrudersJson(first.records), file: first.file };
  return {
    total: totalOf(looks.at(-1)?.records ?? []),
    matrices: intrudersJson(looks.at(-1)?.records ?? []).matrices,
    checkpoints: looks.map(({ side, records, file }) => ({
      step: side.kind === "none" ? 0 : (side.step ?? 0),
      file,
      ...intrudersJson(records),
    })),
  };
}

/** One side: a row for each matrix. */
function one(looks: readonly LookResult<MatrixIntrudersRecord>[]): string {
  return looks.map(({ records }) => intrudersTable(records)).join("\n");
}

/** A row for each matrix, and below what it means. */
export function intrudersTable(records: readonly MatrixIntrudersRecord[]): string {
  const rows = records.map(
    ({ name, out, in: width, count, undecided, basisDependent, energy, vectors, noiseFloor }) => [
      name,
      `${out}×${width}`,
      String(count),
      undecided === 0 ? "" : String(undecided),
      basisDependent === 0 ? "" : String(basisDependent),
      percent(energy),
      least(vectors),
      noiseFloor.toFixed(3),
    ],
  );
  const head = [
    { title: "matrix" },
    { title: "out×in", right: true },
    { title: "intruders", right: true },
    { title: "undecided", right: true },
    { title: "basis-dependent", right: true },
    { title: "energy", right: true },
    { title: "least max|cos|", right: true },
    { title: "noise floor", right: true },
  ];
  const [first] = records;
  const total = totalOf(records);
  const said = `${total} intruder dimension${total === 1 ? "" : "s"} in ${records.length} matrices (ε ${first?.epsilon ?? ""}, k ${kText(records)}, reference ${first?.reference ?? ""}, n = 1)`;
  return `${table(head, rows)}\n${said}\n${gridText(records)}`;
}

/** The vector that is least like the base, as far as it is known. */
function least(vectors: MatrixIntrudersRecord["vectors"]): string {
  const lowest = vectors.toSorted((a, b) => a.upper - b.upper)[0];
  if (!lowest) return "";
  const { lower, upper } = lowest;
  return upper - lower < 5e-4 ? upper.toFixed(3) : `${lower.toFixed(2)}–${upper.toFixed(2)}`;
}

function kText(records: readonly MatrixIntrudersRecord[]): string {
  const ks = [...new Set(records.map(({ k }) => k))].toSorted((a, b) => a - b);
  return ks.length === 1 ? String(ks[0]) : `${ks[0] ?? ""} to ${ks.at(-1) ?? ""}`;
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

/** Several sides: a row for each. */
function many(looks: readonly LookResult<MatrixIntrudersRecord>[]): string {
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
