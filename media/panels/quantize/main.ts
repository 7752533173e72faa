/** @file The quantize view: quantizers of one model in a table, and the error of every matrix as a map. */
import "../../shared/panel.css";
import { quantizePanel } from "../../../src/shared/panels/quantize.ts";
import type { QuantizeView } from "../../../src/shared/panels/quantize.ts";
import type { QuantizeDocument } from "../../../src/shared/quantize-records.ts";
import { workBar } from "../../analysis/work-bar.ts";
import { figure } from "../../charts/figure.ts";
import { heatMap } from "../../charts/heat-map.ts";
import { csvOf } from "../../charts/table.ts";
import { button, element, replaceWith, select } from "../../shared/dom.ts";
import { openPage, showFailure } from "../../shared/page.ts";
import type { ErrorFigure } from "./document.ts";
import { errorMap, newestComparison } from "./document.ts";
import { problemText, wordsOf, wrongWord } from "./question.ts";
import { comparisonElement, comparisonTable, matrixElement } from "./tables.ts";

openPage(quantizePanel, async ({ host, root, say }) => {
  const save = (file: { readonly name: string; readonly content: string | Uint8Array }): void =>
    void host.ask("save", file).catch((error: unknown) => showFailure(root, error));
  let comparison: QuantizeDocument | undefined;
  let label = "";
  let shown: ErrorFigure = "output";
  let known: readonly string[] = [];

  const list = element("input", {
    attributes: { type: "text", value: "nf4,rtn,gptq", size: 36, list: "quantizers" },
    title: say("Names, each with bits and group where it takes them: gptq:3, awq:4:64"),
  });
  const samples = element("input", { attributes: { type: "number", min: 1, step: 1, value: 32 } });
  const names = element("datalist", { attributes: { id: "quantizers" } });
  const work = workBar({
    say,
    begin: say("Compare"),
    async start() {
      const quantizers = wordsOf(list.value);
      // Before anything is asked: a run would say it after the file was chosen.
      const wrong = wrongWord(quantizers, known);
      if (wrong !== undefined) {
        list.focus();
        throw new Error(problemText(wrong, say));
      }
      return await host.ask("compare", {
        quantizers,
        samples: Math.max(1, Math.round(samples.valueAsNumber || 1)),
      });
    },
    cancel: () => host.ask("cancel", null),
    fields: [
      element("label", { class: "field" }, element("span", { text: say("Quantizers") }), list),
      element("label", { class: "field" }, element("span", { text: say("Texts") }), samples),
    ],
  });
  const offered = element("p", { class: "muted" });
  const title = element("h1");
  const table = element("section");
  const picker = element("div", { class: "controls" });
  const detail = element("section", { attributes: { "aria-live": "polite" } });
  const mapTitle = say("Error of every matrix");
  const map = heatMap({
    title: mapTitle,
    rowAxis: say("module"),
    columnAxis: say("layer"),
    choose(row, column) {
      if (comparison === undefined) return;
      const { columns, places } = errorMap(comparison, label, shown);
      const matrix = comparison.matrices[places[row * columns.length + column] ?? -1];
      if (matrix !== undefined) replaceWith(detail, matrixElement(matrix, say));
    },
  });
  const mapFigure = figure(map, { title: mapTitle, fileName: "quantization-errors", say, save });

  const drawMap = (): void => {
    if (comparison === undefined) return;
    const labels = [...new Set(comparison.matrices.flatMap(({ errors }) => Object.keys(errors)))];
    if (!labels.includes(label)) label = labels[0] ?? "";
    const hasOutput = comparison.matrices.some(({ errors }) => errors[label]?.output !== undefined);
    if (!hasOutput && shown === "output") shown = "weight";
    const { rows, columns, values } = errorMap(comparison, label, shown);
    const high = Math.max(...values.filter(Number.isFinite), 0);
    map.set({ rows, columns, values, scale: "value", low: 0, high });
    const figures = [
      ...(hasOutput ? [{ value: "output", text: say("Output error") }] : []),
      { value: "weight", text: say("Weight error") },
      { value: "bits", text: say("Bits per weight") },
    ];
    replaceWith(
      picker,
      select(
        say("Quantizer"),
        labels.map((value) => ({ value, text: value })),
        label,
        (value) => {
          label = value;
          drawMap();
        },
      ),
      select(say("Figure"), figures, shown, (value) => {
        shown = value === "weight" || value === "bits" ? value : "output";
        drawMap();
      }),
    );
  };
  const draw = (view: QuantizeView): void => {
    title.textContent = view.label;
    known = view.quantizers;
    offered.textContent = say("There are {0}.", view.quantizers.join(", "));
    replaceWith(
      names,
      ...view.quantizers.map((value) => element("option", { attributes: { value } })),
    );
    work.setWorking(view.working);
    comparison = newestComparison(view.documents);
    const found = comparison;
    replaceWith(
      root,
      title,
      work.element,
      names,
      offered,
      ...(found === undefined
        ? [
            element("p", {
              class: "empty",
              text: say("Nothing has been compared yet. Compare asks for text to calibrate on."),
            }),
          ]
        : [table, picker, mapFigure, detail]),
    );
    if (found === undefined) return;
    replaceWith(
      table,
      element(
        "figure",
        {},
        element(
          "div",
          { class: "head" },
          element("h3", { text: say("Quantizers") }),
          element(
            "div",
            { class: "tools" },
            button("CSV", () =>
              save({ name: "quantizers.csv", content: csvOf(comparisonTable(found)) }),
            ),
          ),
        ),
        element(
          "div",
          { class: "table", attributes: { tabindex: 0, role: "region" } },
          comparisonElement(found, say),
        ),
        element("figcaption", { text: say("Intervals: 95 %. Lower errors are better.") }),
      ),
    );
    drawMap();
  };
  const load = async (): Promise<void> => draw(await host.ask("load", null));

  host.on("progress", work.progress);
  host.on("ended", work.ended);
  host.on("changed", () => void load().catch((error: unknown) => showFailure(root, error)));
  await load();
  await host.ask("ready", null);
});
