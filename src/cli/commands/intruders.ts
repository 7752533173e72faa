/** @file `spectune intruders`: strong directions of tuned weights that the base did not have. */
import type { MatrixIntrudersRecord } from "../../shared/intruder-records.ts";
import { totalOf } from "../../engine/analyze/counts.ts";
import type { CountedRun } from "../../engine/analyze/over-runs.ts";
import { overRuns } from "../../engine/analyze/over-runs.ts";
import { intrudersJson } from "../../engine/lab/look-intruders.ts";
import type { LookResult } from "../../engine/lab/look.ts";
import { invariant } from "../../shared/errors.ts";
import type { Command } from "../define.ts";
import { intruderOptions, thresholdOptions } from "../intruder-options.ts";
import { checkpointsTable, groupsTable, intrudersTable } from "../intruders-text.ts";
import { filesText } from "../lab-files.ts";
import { chosenSides, fullSide, lookOptions, sideOptions } from "../lab-options.ts";
import { numberOption } from "../model-options.ts";
import { wrong } from "../wrong-arguments.ts";
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
    controls: {
      type: "string",
      value: "COUNT",
      doc: "Count controls beside: so many random updates of ΔW's own singular values, as many of ΔW turned on one side, and quantization alone.",
    },
    full: {
      type: "string",
      value: "DIR|RUN",
      doc: "A full fine-tuning of the same base: its ΔW, scaled to the same norm, is one more control.",
    },
    ...lookOptions,
  },
  shown: {
    intruders: "of the vectors looked at, those that are intruders for certain",
    undecided: "those of which it is not known; --exact decides",
    "basis-dependent": "those that hang on how a decomposition splits equal singular values",
    energy: "the intruders' share of Σσ² of the vectors looked at",
    "least max|cos|": "the largest cosine with the base's vectors, of the vector where it is least",
    "noise floor": "what that is of a random vector (median): an ε near it says nothing",
  },
  async run(args, console) {
    const options = intruderOptions(args);
    const draws =
      numberOption(args, "controls", { min: 0, max: 100, whole: true }) ??
      (args.text("full") ? 1 : 0);
    const chosen = await chosenSides(args, console);
    const { sides } = chosen;
    const full = await fullSide(args, console);
    const place = { ...chosen.place, ...(full ? { full } : {}) };
    const [side] = sides;
    if (side?.kind === "none" && place.question !== "original-dequantized")
      throw wrong(args, "give what was trained: --adapter, --tuned, --run or --checkpoints.");
    const result = await ask({ kind: "intruders", place, sides, options, draws }, console);
    invariant(result.kind === "intruders", "the lab answered another question");
    const { looks } = result;
    const report = await writeReport(args, console, chosen);
    const runs = countedRuns(looks);
    const groups = runs.length === 0 ? undefined : overRuns(runs, 0.95);
    if (args.flag("json"))
      console.out(
        `${JSON.stringify(groups ? { ...sweepJson(looks), ...groups } : jsonOf(looks))}\n`,
      );
    else {
      const [look] = looks;
      const shown = groups
        ? groupsTable(groups)
        : looks.length === 1
          ? intrudersTable(look?.records ?? [])
          : checkpointsTable(looks);
      console.out(`${shown}${filesText(looks, report)}`);
    }
    return 0;
  },
};

/** The runs of a sweep; empty for other sides. */
function countedRuns(looks: readonly LookResult<MatrixIntrudersRecord>[]): readonly CountedRun[] {
  return looks.flatMap(({ side, records }) =>
    side.kind === "none" || !side.member ? [] : [{ ...side.member, records }],
  );
}

function sweepJson(looks: readonly LookResult<MatrixIntrudersRecord>[]): object {
  const runs = looks.map(({ side, records, file }) => {
    const { member, of } = side.kind === "none" ? {} : side;
    const { total, matrices } = intrudersJson(records);
    return { run: of, label: member?.label, seed: member?.seed, file, total, matrices };
  });
  return { runs };
}

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
