/** @file Counts of controls beside those of what was trained: what the same thresholds find where nothing was learned. */
import type { IntrudersDocument } from "../../../src/shared/analysis-documents.ts";
import { short } from "../../charts/numbers.ts";
import { tableHead } from "../../charts/table.ts";
import { element } from "../../shared/dom.ts";
import type { Say } from "../../shared/say.ts";
import type { ControlRow } from "./control-rows.ts";
import { controlRows } from "./control-rows.ts";

/** They are counted by the command at its thresholds, so they do not follow the sliders: the caption says at which. */
export function controlElement(
  document: Pick<IntrudersDocument, "matrices">,
  say: Say,
): HTMLElement | undefined {
  const rows = controlRows(document);
  const [first] = document.matrices;
  if (rows.length === 0 || first === undefined) return undefined;
  return element(
    "figure",
    {},
    element("h3", { text: say("Beside controls") }),
    element(
      "table",
      { class: "controls-table" },
      tableHead([
        { text: "" },
        { text: say("intruders"), isNumber: true },
        { text: say("undecided"), isNumber: true },
        { text: say("draws"), isNumber: true },
      ]),
      element(
        "tbody",
        {},
        ...rows.map(({ kind, count, open, draws }) =>
          element(
            "tr",
            {},
            element("th", { text: wordsOf(kind, say), attributes: { scope: "row" } }),
            ...[count, open, draws].map((value) =>
              element("td", { class: "number", text: short(value) }),
            ),
          ),
        ),
      ),
    ),
    element("figcaption", {
      text: say(
        "At ε = {0} and k = {1}, as they were counted; means over the draws.",
        short(first.epsilon),
        first.k,
      ),
    }),
  );
}

function wordsOf(kind: ControlRow["kind"], say: Say): string {
  switch (kind) {
    case "trained":
      return say("as trained");
    case "random":
      return say("random directions of the same singular values");
    case "rotated":
      return say("ΔW with its left directions turned at random");
    case "full":
      return say("full fine-tuning at the same ‖ΔW‖");
    case "quantization":
      return say("quantization alone");
  }
}
