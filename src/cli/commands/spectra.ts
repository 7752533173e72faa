/** @file `spectune spectra`: singular values and what is read off them, of any model or of what was trained on it. */
import type { MatrixSpectraRecord, SpectrumRecord } from "../../shared/spectra-records.ts";
import { sideLabel } from "../../engine/lab/open-sides.ts";
import { invariant } from "../../shared/errors.ts";
import type { Command } from "../define.ts";
import { figure, percent, table } from "../format.ts";
import { chosenSides, lookOptions, sideOptions } from "../lab-options.ts";
import { filesText } from "../lab-files.ts";
import { ask } from "../lab.ts";
import { writeReport } from "../lab-report.ts";
import { wrong } from "../wrong-arguments.ts";

export const spectraCommand: Command = {
  name: "spectra",
  summary: "Show the singular values of a model's matrices, and of what was trained on it.",
  usage:
    "MODEL [--adapter DIR | --tuned DIR | --checkpoints DIR] | --run RUN [--matrices REGEX] [--json]",
  positionals: { min: 0, max: 1 },
  options: {
    ...sideOptions,
    variance: {
      type: "string",
      value: "WORD",
      doc: "How Marchenko–Pastur's variance is found: median (by the median rule, the default) or weightwatcher (by the mean of σ²).",
    },
    ...lookOptions,
  },
  shown: {
    "σ₁": "the largest singular value",
    "stable rank": "‖W‖² / σ₁²",
    effective: "rank by entropy, exp(H(p)) with p = σ / Σσ",
    rank: "singular values above the rounding of the stored dtype, of how many",
    α: "exponent of the power law fitted to the tail of σ², ± its standard error",
    "alignment 1": "share of ‖ΔW‖ that lies along the base's strongest direction",
  },
  async run(args, console) {
    const rule = args.text("variance") ?? "median";
    if (rule !== "median" && rule !== "weightwatcher")
      throw wrong(args, `--variance is median or weightwatcher, not ${rule}.`);
    const chosen = await chosenSides(args, console);
    const { place, sides } = chosen;
    const result = await ask({ kind: "spectra", place, sides, options: { rule } }, console);
    invariant(result.kind === "spectra", "the lab answered another question");
    const { looks } = result;
    const report = await writeReport(args, console, chosen);
    if (args.flag("json"))
      console.out(
        `${JSON.stringify({
          sides: looks.map(({ side, file, base, tuned, records }) => ({
            side: sideLabel(side),
            file,
            base,
            tuned,
            matrices: records,
          })),
        })}\n`,
      );
    else
      console.out(
        `${looks
          .map(({ side, records }) =>
            looks.length === 1
              ? spectraTable(records)
              : `${sideLabel(side)}\n\n${spectraTable(records)}`,
          )
          .join("\n")}${filesText(looks, report)}`,
      );
    return 0;
  },
};

/** A row for each matrix: of the tuned one where there is one, else of the base. */
function spectraTable(records: readonly MatrixSpectraRecord[]): string {
  const tuned = records.some(({ update }) => update !== undefined);
  const rows = records.map((record) => {
    const spectrum = record.tuned ?? record.base;
    const { update } = record;
    return [
      record.name,
      `${record.out}×${record.in}`,
      figure(spectrum.sigma[0] ?? 0),
      spectrum.stableRank.toFixed(1),
      spectrum.effectiveRank.toFixed(1),
      `${spectrum.numericalRank}/${Math.min(record.out, record.in)}`,
      alphaText(spectrum),
      ...(tuned
        ? update
          ? [
              percent(update.relativeSize),
              `${figure(update.spectrum.sigma[0] ?? 0)}${update.from === "difference" ? "*" : ""}`,
              update.spectrum.effectiveRank.toFixed(1),
              (update.alignment[0]?.share ?? 0).toFixed(3),
            ]
          : ["", "", "", ""]
        : []),
    ];
  });
  const head = [
    { title: "matrix" },
    { title: "out×in", right: true },
    { title: "σ₁", right: true },
    { title: "stable rank", right: true },
    { title: "effective", right: true },
    { title: "rank", right: true },
    { title: "α", right: true },
    ...(tuned
      ? [
          { title: "‖ΔW‖/‖W₀‖", right: true },
          { title: "σ₁ of ΔW", right: true },
          { title: "its eff. rank", right: true },
          { title: "alignment 1", right: true },
        ]
      : []),
  ];
  const rounded = records.some(({ update }) => update?.from === "difference");
  const note = rounded ? "* of a difference of stored weights, whose rounding is in it\n" : "";
  return `${table(head, rows)}${note}`;
}

function alphaText({ powerLaw }: SpectrumRecord): string {
  return "refused" in powerLaw
    ? "–"
    : `${powerLaw.alpha.toFixed(2)} ± ${powerLaw.sigmaAlpha.toFixed(2)}`;
}
