/** @file The vectors of one matrix: singular value, interval of the greatest cosine, the verdict at the threshold. */
import { short } from "../../charts/numbers.ts";
import { tableHead } from "../../charts/table.ts";
import { element } from "../../shared/dom.ts";
import type { Say } from "../../shared/say.ts";
import type { Matrix, Vector } from "./counts.ts";

export function vectorTable(
  { name, vectors, noiseFloor, isExact }: Matrix,
  epsilon: number,
  k: number,
  say: Say,
): readonly HTMLElement[] {
  const rows = vectors.slice(0, k).map((vector) =>
    element(
      "tr",
      {},
      element("td", { class: "number", text: String(vector.index + 1) }),
      element("td", { class: "number", text: short(vector.sigma) }),
      element("td", {
        class: "number",
        text: isExact ? short(vector.upper) : `${short(vector.lower)} … ${short(vector.upper)}`,
      }),
      element("td", {
        text: `${verdict(vector, epsilon, say)}${vector.isLikely === true ? " *" : ""}`,
      }),
    ),
  );
  const isLikely = vectors.some((vector) => vector.isLikely === true);
  const head = [say("Vector"), say("Singular value"), say("Greatest cosine"), say("Verdict")];
  return [
    element("h1", { text: name }),
    element(
      "table",
      {},
      tableHead(head.map((text, index) => ({ text, isNumber: index < 3 }))),
      element("tbody", {}, ...rows),
    ),
    element("p", { class: "muted", text: say("Noise floor of this size: {0}", short(noiseFloor)) }),
    ...(isLikely
      ? [
          element("p", {
            class: "muted",
            text: say(
              "* Likely, not proved: a gap between singular values is known from a random start alone, for no count of singular values shows it.",
            ),
          }),
        ]
      : []),
  ];
}

function verdict({ lower, upper }: Vector, epsilon: number, say: Say): string {
  if (upper < epsilon) return say("intruder");
  return lower >= epsilon ? say("not an intruder") : say("undecided");
}
