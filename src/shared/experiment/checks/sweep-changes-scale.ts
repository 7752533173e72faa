/** @file A sweep over the rank at a fixed alpha, which changes the scale with it. */
import { nodeAt } from "../tree.ts";
import { replace } from "../edits.ts";
import type { Sweep } from "../fields/experiment-fields.ts";
import type { Check } from "./check.ts";
import { axesOf } from "./swept-fields.ts";

export const sweepChangesScale: Check = {
  code: "sweep-changes-scale",
  severity: "warning",
  doc: "The update is scaled by α/r. Where r varies and α does not, every point has another scale, and what looks like an effect of the rank may be one of the learning rate.",
  find({ method, sweep }, { document }) {
    const [only] = method;
    if (sweep === null || method.length !== 1 || only === undefined) return [];
    const { alpha, r, use_rslora: scaled } = only.config;
    if (typeof alpha !== "number" || typeof r !== "number" || scaled === true) return [];
    const axes = axesOf(sweep);
    const rank = axes.find(({ field }) => field === "method.r");
    if (rank === undefined || new Set(values(sweep, "method.r")).size < 2) return [];
    if (axes.some(({ field }) => field === "method.alpha")) return [];
    const written = nodeAt(document, ["method", "alpha"]);
    // An expression over r follows it.
    if (written?.kind === "text") return [];
    const times = Number((alpha / r).toPrecision(6));
    const text = times === 1 ? "r" : `${times}r`;
    return [
      {
        path: rank.path,
        message: `The points differ in the scale α/r too: \`alpha\` is ${alpha} at every rank.`,
        remedy: `Write \`alpha: ${text}\`, or sweep \`method.alpha\` with it.`,
        ...(written?.kind === "number" &&
          written.at.start < written.at.end && {
            fix: { title: `Write \`alpha: ${text}\``, edits: [replace(written.at, text)] },
          }),
      },
    ];
  },
};

/** The values of an axis, as the file says them. */
function values({ grid, paired }: Sweep, field: string): readonly unknown[] {
  return grid[field] ?? paired.find((map) => Object.hasOwn(map, field))?.[field] ?? [];
}
