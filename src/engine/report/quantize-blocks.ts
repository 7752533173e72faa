/** @file What a report shows of quantizers side by side: the table, and a map of the error by layer and matrix. */
import type { QuantizeDocument, QuantizedMatrix } from "../../shared/quantize-records.ts";
import type { Block } from "./page.ts";
import { heatMap } from "./heat-map.ts";

export function quantizeBlocks(document: QuantizeDocument, version: string): readonly Block[] {
  const { rows, matrices, options } = document;
  const calibration = options["calibration"];
  const tail = `${calibration === undefined ? "no calibration data" : JSON.stringify(calibration)}; spectune ${version}.`;
  const tasks = [...new Set(rows.flatMap(({ task = {} }) => Object.keys(task)))];
  const labels = rows.flatMap(({ label, type }) => (type === "float" ? [] : [label]));
  const layers = [...new Set(matrices.map(({ layer }) => layer))].toSorted((a, b) => a - b);
  const kinds = [...new Set(matrices.map(({ kind }) => kind))];
  return [
    { kind: "paragraph", text: `Model ${document.model.path}.` },
    { kind: "heading", text: "Quantizers" },
    {
      kind: "table",
      caption: `Bits count everything that is stored of the matrices; errors are means over matrices, of outputs squared and relative; intervals are of 95 % over sequences of held-out text, and over examples. ${tail}`,
      table: {
        head: [
          ...["quantizer", "bits a weight", "bytes", "weight error", "output error"],
          ...["last layer", "perplexity", "low", "high"],
          ...tasks.flatMap((name) => [name, "low", "high"]),
          ...["seconds", "peak bytes"],
        ],
        rows: rows.map((row) => [
          row.failed === undefined ? row.label : `${row.label}: ${row.failed}`,
          cell(row.bitsPerWeight),
          row.bytes ?? "",
          cell(row.weightError),
          cell(row.outputError),
          cell(row.finalError),
          cell(row.perplexity?.value),
          cell(row.perplexity?.low),
          cell(row.perplexity?.high),
          ...tasks.flatMap((name) => {
            const measured = row.task?.[name];
            return [cell(measured?.value), cell(measured?.low), cell(measured?.high)];
          }),
          cell(row.seconds),
          row.peakBytes ?? "",
        ]),
      },
    },
    ...labels.map((label): Block => {
      const values = kinds.map((kind) =>
        layers.map((layer) => errorOf(matrices, label, layer, kind)),
      );
      return {
        kind: "chart",
        caption: `Error of every matrix by ${label}: of its outputs, relative and squared, where there is calibration data, else of its weights. ${tail}`,
        svg: heatMap({ rows: kinds, columns: layers.map(String), values }),
        table: {
          head: ["matrix", ...layers.map(String)],
          rows: kinds.map((kind, i) => [kind, ...(values[i] ?? []).map(cell)]),
        },
      };
    }),
  ];
}

function errorOf(
  matrices: readonly QuantizedMatrix[],
  label: string,
  layer: number,
  kind: string,
): number | undefined {
  const found = matrices.find((matrix) => matrix.layer === layer && matrix.kind === kind);
  const own = found?.errors[label];
  return own?.output ?? own?.weight;
}

function cell(value: number | undefined): string {
  return value === undefined ? "" : String(Number(value.toPrecision(4)));
}
