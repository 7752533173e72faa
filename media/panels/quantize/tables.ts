/** @file Tables of the quantize view: all quantizers of the model, and all of them on one matrix. */
import type {
  Measured,
  QuantizeDocument,
  QuantizedMatrix,
  QuantizeRow,
} from "../../../src/shared/quantize-records.ts";
import { bytes, duration, short } from "../../charts/numbers.ts";
import type { Cell, Table } from "../../charts/table.ts";
import { tableHead } from "../../charts/table.ts";
import { element } from "../../shared/dom.ts";
import type { Say } from "../../shared/say.ts";

/** One row for each quantizer; what failed says why. */
export function comparisonElement({ rows }: QuantizeDocument, say: Say): HTMLElement {
  const tasks = tasksOf(rows);
  const heads = [
    say("Bits per weight"),
    say("Size"),
    say("Weight error"),
    say("Output error"),
    say("Last layer’s error"),
    say("Perplexity"),
    ...tasks,
    say("Time"),
    say("Memory"),
  ];
  const body = rows.map((row) =>
    element(
      "tr",
      {},
      element("th", { text: row.label, attributes: { scope: "row" } }),
      ...(row.failed === undefined
        ? [
            numberCell(row.bitsPerWeight === undefined ? "–" : row.bitsPerWeight.toFixed(2)),
            numberCell(row.bytes === undefined ? "–" : bytes(row.bytes)),
            numberCell(short(row.weightError)),
            numberCell(short(row.outputError)),
            numberCell(short(row.finalError)),
            measuredCell(row.perplexity),
            ...tasks.map((name) => measuredCell(row.task?.[name])),
            numberCell(row.seconds === undefined ? "–" : duration(row.seconds)),
            numberCell(row.peakBytes === undefined ? "–" : bytes(row.peakBytes)),
          ]
        : [
            element("td", {
              class: "failure",
              text: row.failed,
              attributes: { colspan: heads.length },
            }),
          ]),
    ),
  );
  return element(
    "table",
    {},
    tableHead([{ text: say("Quantizer") }, ...heads.map((text) => ({ text, isNumber: true }))]),
    element("tbody", {}, ...body),
  );
}

/** Every digit of the same, for CSV. */
export function comparisonTable({ rows }: QuantizeDocument): Table {
  const tasks = tasksOf(rows);
  const measured = (value: Measured | undefined): readonly Cell[] => [
    value?.value,
    value?.low,
    value?.high,
  ];
  const three = (name: string): readonly string[] => [name, `${name} low`, `${name} high`];
  return {
    columns: [
      "quantizer",
      "bits_per_weight",
      "bytes",
      "weight_error",
      "output_error",
      "final_error",
      ...three("perplexity"),
      ...tasks.flatMap(three),
      "seconds",
      "peak_bytes",
      "failed",
    ],
    rows: rows.map((row) => [
      row.label,
      row.bitsPerWeight,
      row.bytes,
      row.weightError,
      row.outputError,
      row.finalError,
      ...measured(row.perplexity),
      ...tasks.flatMap((name) => measured(row.task?.[name])),
      row.seconds,
      row.peakBytes,
      row.failed,
    ]),
  };
}

export function matrixElement({ name, errors }: QuantizedMatrix, say: Say): HTMLElement {
  return element(
    "figure",
    {},
    element("h3", { text: name }),
    element(
      "table",
      {},
      tableHead([
        { text: say("Quantizer") },
        ...[say("Bits per weight"), say("Weight error"), say("Output error")].map((text) => ({
          text,
          isNumber: true,
        })),
      ]),
      element(
        "tbody",
        {},
        ...Object.entries(errors).map(([label, { bits, weight, output }]) =>
          element(
            "tr",
            {},
            element("th", { text: label, attributes: { scope: "row" } }),
            numberCell(bits.toFixed(2)),
            numberCell(short(weight)),
            numberCell(short(output)),
          ),
        ),
      ),
    ),
  );
}

function tasksOf(rows: readonly QuantizeRow[]): readonly string[] {
  return [...new Set(rows.flatMap(({ task = {} }) => Object.keys(task)))];
}

function numberCell(text: string): HTMLElement {
  return element("td", { class: "number", text });
}

function measuredCell(given: Measured | undefined): HTMLElement {
  if (given === undefined) return numberCell("–");
  const { value, low, high } = given;
  return element(
    "td",
    { class: "number" },
    element("div", { text: short(value) }),
    low === undefined || high === undefined
      ? undefined
      : element("div", { class: "muted", text: `${short(low)} … ${short(high)}` }),
  );
}
