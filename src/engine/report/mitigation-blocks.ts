/** @file What a report shows of mitigations: what they cost and gained, beside the control, and what was scaled. */
import type { MitigationDocument } from "../../shared/analysis-documents.ts";
import type { IntervalRecord } from "../../shared/intruder-records.ts";
import { isRecord } from "../../shared/wire.ts";
import type { CaptionFacts } from "./caption.ts";
import { captionTail } from "./caption.ts";
import type { Block } from "./page.ts";

export function mitigationBlocks(
  documents: readonly MitigationDocument[],
  facts: CaptionFacts,
): readonly Block[] {
  const tail = captionTail(facts);
  const setting = ({ options }: MitigationDocument): string => {
    const { which, keep, compress, epsilon, k } = options;
    return [
      `${which}, λ = ${keep}`,
      ...(epsilon === undefined ? [] : [`ε = ${epsilon}`]),
      ...(typeof k === "number" ? [`k = ${k}`] : []),
      ...(isRecord(k) ? [`k = ${Number(k["share"]) * 100} %`] : []),
      ...(compress === undefined ? [] : [`rank ${compress}`]),
    ].join(", ");
  };
  const measured = documents.flatMap((document) =>
    document.measured.map((row) => [
      setting(document),
      row.on,
      row.metric,
      row.n,
      row.before.toPrecision(4),
      row.after.toPrecision(4),
      interval(row.afterDifference),
      row.control.toPrecision(4),
      interval(row.controlDifference),
    ]),
  );
  const scaled = documents.flatMap((document) => {
    const controls = new Map(document.controls.map((one) => [one.name, one]));
    return document.matrices
      .filter(({ indices }) => indices.length > 0)
      .map((one) => [
        setting(document),
        one.name,
        numbers(one.indices),
        numbers(controls.get(one.name)?.indices ?? []),
        one.rankBefore ?? "",
        one.rankAfter ?? "",
        one.change.toFixed(3),
        one.compressionLoss?.toFixed(3) ?? "",
      ]);
  });
  if (documents.length === 0) return [];
  return [
    { kind: "heading", text: "Mitigation" },
    {
      kind: "paragraph",
      text: "λ is what stays of each scaled intruder. That the count falls is no success: the vector only leaves the strongest ones. Success is less forgetting at the task's score, and more than the control gains, which scales a neighbour of similar strength instead.",
    },
    {
      kind: "table",
      caption: `Before, after and control; intervals of 95 % are of the difference to before, by a bootstrap over the same examples of one model. ${tail}`,
      table: {
        head: [
          ...["setting", "on", "metric", "examples", "before", "after", "95 % of difference"],
          ...["control", "95 % of difference"],
        ],
        rows: measured,
      },
    },
    {
      kind: "table",
      caption: `What was scaled, and by how much of ‖ΔW‖_F it changed the update. ${tail}`,
      table: {
        head: [
          ...["setting", "matrix", "vectors", "control's", "rank", "rank after"],
          ...["change", "lost by compression"],
        ],
        rows: scaled,
      },
    },
  ];
}

function interval(range: IntervalRecord | undefined): string {
  return range ? `[${range.low.toPrecision(3)}, ${range.high.toPrecision(3)}]` : "";
}

function numbers(indices: readonly number[]): string {
  return indices.map((index) => index + 1).join(" ");
}
