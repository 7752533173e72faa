/** @file What mitigations did: the score and the loss on general text before and after, and the control's beside them. */
import type { AnalysisDocument } from "../../../src/shared/analysis.ts";
import { isRecord } from "../../../src/shared/wire.ts";
import type { Entry } from "../../analysis/documents.ts";
import { at } from "../../analysis/documents.ts";
import { short } from "../../charts/numbers.ts";
import { element } from "../../shared/dom.ts";
import type { Say } from "../../shared/page.ts";

/** A table for each document of a mitigation; every figure that it measured, by its name. */
export function mitigationElements(
  documents: readonly AnalysisDocument[],
  say: Say,
): readonly HTMLElement[] {
  return documents.flatMap(({ file, json }) => {
    const name = file.split(/[\\/]/).at(-1) ?? "";
    const measured =
      name.startsWith("mitigate") && isRecord(json) ? at(json, "measured") : undefined;
    if (!isRecord(measured)) return [];
    const states = Object.entries(measured).filter((pair): pair is [string, Entry] =>
      isRecord(pair[1]),
    );
    const figures = [...new Set(states.flatMap(([, its]) => Object.keys(its)))];
    return [
      element(
        "table",
        {},
        element(
          "thead",
          {},
          element(
            "tr",
            {},
            element("th"),
            ...figures.map((text) =>
              element("th", { class: "number", text, attributes: { scope: "col" } }),
            ),
          ),
        ),
        element(
          "tbody",
          {},
          ...states.map(([state, its]) =>
            element(
              "tr",
              {},
              element("th", { text: say(state), attributes: { scope: "row" } }),
              ...figures.map((figure) =>
                element("td", { class: "number", text: shown(its[figure]) }),
              ),
            ),
          ),
        ),
      ),
    ];
  });
}

/** A number, or one with its interval. */
function shown(value: unknown): string {
  if (typeof value === "number") return short(value);
  if (!isRecord(value)) return "–";
  const { value: middle, low, high } = value;
  const interval =
    typeof low === "number" && typeof high === "number" ? ` [${short(low)}, ${short(high)}]` : "";
  return typeof middle === "number" ? `${short(middle)}${interval}` : "–";
}
