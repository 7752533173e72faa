/** @file The spectra panel: a figure of every matrix as a heat map, and of the chosen one its spectra. */
import "uplot/dist/uPlot.min.css";
import "../../shared/panel.css";
import { spectraPanel } from "../../../src/shared/panels/spectra.ts";
import type { SpectraView } from "../../../src/shared/panels/spectra.ts";
import type { Entry } from "../../analysis/documents.ts";
import { entryAt, layoutOf, matricesOf, text } from "../../analysis/documents.ts";
import { workBar } from "../../analysis/work-bar.ts";
import { figure } from "../../charts/figure.ts";
import { heatMap } from "../../charts/heat-map.ts";
import { element, replaceWith, select } from "../../shared/dom.ts";
import { openPage, showFailure } from "../../shared/page.ts";
import { figuresOf } from "./figures.ts";
import { matrixElements } from "./matrix.ts";

openPage(spectraPanel, async ({ host, root, say }) => {
  const save = (file: { readonly name: string; readonly content: string | Uint8Array }): void =>
    void host.ask("save", file).catch((error: unknown) => showFailure(root, error));
  const figures = figuresOf(say);
  let matrices: readonly Entry[] = [];
  let chosenFigure = "";
  let chosen = "";

  const only = element("input", {
    attributes: {
      type: "text",
      placeholder: say("all matrices"),
      "aria-label": say("Regular expression"),
    },
  });
  const work = workBar({
    say,
    begin: say("Compute"),
    start: () => host.ask("compute", { matrices: only.value.trim() }),
    cancel: () => host.ask("cancel", null),
    fields: [
      element("label", { class: "field" }, element("span", { text: say("Matrices") }), only),
    ],
  });
  const title = element("h1");
  const picker = element("div", { class: "controls" });
  const detail = element("section", { attributes: { "aria-live": "polite" } });
  const map = heatMap({
    title: say("All matrices"),
    rowAxis: say("module"),
    columnAxis: say("layer"),
    choose(row, column) {
      const { places, columns } = layoutOf(matrices.map((matrix) => text(matrix, "name")));
      choose(matrices[places[row * columns.length + column] ?? -1]);
    },
  });
  const mapFigure = figure(map, { title: say("All matrices"), fileName: "spectra", say, save });

  const choose = (matrix: Entry | undefined): void => {
    if (matrix === undefined) return;
    chosen = text(matrix, "name");
    replaceWith(detail, ...matrixElements(matrix, say, save));
  };
  const drawMap = (): void => {
    const offered = figures.filter(({ value }) =>
      matrices.some((matrix) => !Number.isNaN(value(matrix))),
    );
    const shown = offered.find(({ name }) => name === chosenFigure) ?? offered[0];
    const { rows, columns, places } = layoutOf(matrices.map((matrix) => text(matrix, "name")));
    const values = places.map((place) => {
      const matrix = matrices[place];
      return matrix === undefined || shown === undefined ? NaN : shown.value(matrix);
    });
    const finite = values.filter(Number.isFinite);
    map.set({
      rows,
      columns,
      values,
      scale: "value",
      low: Math.min(...finite),
      high: Math.max(...finite),
    });
    replaceWith(
      picker,
      select(
        say("Figure"),
        offered.map(({ name, label }) => ({ value: name, text: label })),
        shown?.name ?? "",
        (name) => {
          chosenFigure = name;
          drawMap();
        },
      ),
      element("span", { class: "muted", text: say("Click a cell for its spectrum.") }),
    );
  };
  const draw = (view: SpectraView): void => {
    title.textContent = view.label;
    work.setWorking(view.working);
    matrices = matricesOf(view.documents, "spectra").filter(
      (matrix) => entryAt(matrix, "base") !== undefined,
    );
    const isEmpty = matrices.length === 0;
    replaceWith(
      root,
      title,
      work.element,
      ...(isEmpty
        ? [
            element("p", {
              class: "empty",
              text: say("Nothing has been computed yet. Compute reads every matrix once."),
            }),
          ]
        : [picker, mapFigure, detail]),
    );
    if (isEmpty) return;
    drawMap();
    choose(matrices.find((matrix) => text(matrix, "name") === chosen) ?? matrices[0]);
  };
  const load = async (): Promise<void> => draw(await host.ask("load", null));

  host.on("progress", work.progress);
  host.on("ended", work.ended);
  host.on("changed", () => void load().catch((error: unknown) => showFailure(root, error)));
  await load();
  await host.ask("ready", null);
});
