/** @file What mitigations did: each figure before and after, and that of the control which scaled neighbours instead. */
import type { IntervalRecord, MeasuredRow } from "../../../src/shared/intruder-records.ts";
import type { Found } from "../../analysis/documents.ts";
import { short } from "../../charts/numbers.ts";
import { tableHead } from "../../charts/table.ts";
import { element } from "../../shared/dom.ts";
import type { Say } from "../../shared/say.ts";

/** A table for each mitigation, the newest first. */
export function mitigationElements(
  found: readonly Found<"mitigation">[],
  say: Say,
): readonly HTMLElement[] {
  return found.toReversed().map(({ document: { options, out, measured, matrices } }) => {
    const scaled = matrices.reduce((sum, { indices }) => sum + indices.length, 0);
    const columns = [say("before"), say("after"), say("change"), say("control"), say("its change")];
    return element(
      "figure",
      {},
      element("h3", {
        text: say("λ = {0}, {1} vectors scaled", short(options.keep), scaled),
        title: out,
      }),
      measured.length === 0
        ? element("p", { class: "muted", text: say("It was not measured.") })
        : element(
            "table",
            {},
            tableHead([
              { text: say("Measured on") },
              ...columns.map((text) => ({ text, isNumber: true })),
            ]),
            element("tbody", {}, ...measured.map((row) => rowElement(row, say))),
          ),
      element("figcaption", {
        text: say("Changes: 95 % intervals over the examples of one model (n = 1 seed)."),
      }),
    );
  });
}

function rowElement(row: MeasuredRow, say: Say): HTMLElement {
  const { on, metric, n, before, after, control, afterDifference, controlDifference } = row;
  const cells = [
    short(before),
    short(after),
    interval(afterDifference),
    short(control),
    interval(controlDifference),
  ];
  return element(
    "tr",
    {},
    element("th", {
      text: `${on === "task" ? say("task") : say("general text")}: ${metric} (n = ${n})`,
      attributes: { scope: "row" },
    }),
    ...cells.map((text) => element("td", { class: "number", text })),
  );
}

function interval(given: IntervalRecord | undefined): string {
  return given === undefined ? "–" : `${short(given.low)} … ${short(given.high)}`;
}
