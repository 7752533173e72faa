/** @file The intruder panel: how many, where and how surely; thresholds that answer at once; mitigation with what it did. */
import "uplot/dist/uPlot.min.css";
import "../../shared/panel.css";
import { intrudersPanel } from "../../../src/shared/panels/intruders.ts";
import type { IntrudersView } from "../../../src/shared/panels/intruders.ts";
import { cosinesTensor } from "../../../src/shared/intruder-records.ts";
import type { Found } from "../../analysis/documents.ts";
import { documentsOf, layoutOf } from "../../analysis/documents.ts";
import { workBar } from "../../analysis/work-bar.ts";
import { bars } from "../../charts/bars.ts";
import { figure } from "../../charts/figure.ts";
import { heatMap } from "../../charts/heat-map.ts";
import { lineChart } from "../../charts/line-chart.ts";
import { short } from "../../charts/numbers.ts";
import { tableElement } from "../../charts/table.ts";
import { checkbox, element, replaceWith, select, slider } from "../../shared/dom.ts";
import { openPage, showFailure } from "../../shared/page.ts";
import type { Matrix } from "./counts.ts";
import { countOf, energyOf, matrixOf, sumOf } from "./counts.ts";
import { controlElement } from "./controls.ts";
import { mitigationElements } from "./mitigation.ts";
import { mitigationPreview } from "./preview.ts";
import { labelOf, overSweep, overTraining } from "./series.ts";
import { similarity } from "./similarity.ts";
import { vectorTable } from "./vectors.ts";

const epsilons = Float64Array.from({ length: 100 }, (_, index) => (index + 1) / 100);

openPage(intrudersPanel, async ({ host, root, say }) => {
  const save = (file: { readonly name: string; readonly content: string | Uint8Array }): void =>
    void host.ask("save", file).catch((error: unknown) => showFailure(root, error));
  let found: readonly Found<"intruders">[] = [];
  /** The document that is shown. */
  let file = "";
  let matrices: readonly Matrix[] = [];
  let epsilon = 0.5;
  let k = 10;
  let isExact = false;
  let hasControls = false;
  let chosen = "";
  let keep = 0.5;
  let which: "top" | "all" = "top";

  const title = element("h1");
  const work = workBar({
    say,
    begin: say("Count"),
    start: () =>
      host.ask("count", {
        ...{ threshold: epsilon, top: String(k), exact: isExact, controls: hasControls },
      }),
    cancel: () => host.ask("cancel", null),
    fields: [
      slider(
        say("Threshold ε"),
        { min: 0.05, max: 0.95, step: 0.01, value: epsilon },
        short,
        (value) => {
          epsilon = value;
          drawCounts();
        },
      ),
      slider(say("Vectors k"), { min: 1, max: 50, step: 1, value: k }, short, (value) => {
        k = value;
        drawCounts();
      }),
      checkbox(say("Exact cosines"), false, (on) => {
        isExact = on;
      }),
      checkbox(say("Controls"), false, (on) => {
        hasControls = on;
      }),
    ],
  });
  const summary = element("p", { attributes: { "aria-live": "polite" } });
  const map = heatMap({
    title: say("Intruders by matrix"),
    rowAxis: say("module"),
    columnAxis: say("layer"),
    choose(row, column) {
      const { places, columns } = layoutOf(matrices.map(({ name }) => name));
      chosen = matrices[places[row * columns.length + column] ?? -1]?.name ?? chosen;
      drawVectors();
    },
  });
  const over = lineChart({ title: say("Count over ε"), x: "ε", y: say("intruders"), height: 220 });
  const histogram = element("div");
  const vectors = element("section", { attributes: { "aria-live": "polite" } });
  const options = { say, save };
  const cosines = similarity(say, save);
  const training = lineChart({
    title: say("Count over training"),
    x: say("step"),
    y: say("intruders"),
    height: 220,
  });
  const trainingBox = figure(training, {
    ...options,
    title: say("Count over training"),
    fileName: "intruders-over-training",
  });
  const sweep = element("div");
  const controls = element("div");
  const picker = element("div", { class: "controls" });
  const figures = [
    figure(map, { ...options, title: say("Intruders by matrix"), fileName: "intruders" }),
    figure(over, { ...options, title: say("Count over ε"), fileName: "intruders-over-threshold" }),
  ];

  const mitigate = workBar({
    say,
    begin: say("Mitigate"),
    start: () => host.ask("mitigate", { keep, which, threshold: epsilon, top: String(k) }),
    cancel: () => host.ask("cancel", null),
    fields: [
      slider(say("Keep λ"), { min: 0, max: 1, step: 0.05, value: keep }, short, (value) => {
        keep = value;
        drawPreview();
      }),
      select(
        say("Which"),
        [
          { value: "top", text: say("the top one of each matrix") },
          { value: "all", text: say("all") },
        ],
        which,
        (value) => {
          which = value === "all" ? "all" : "top";
          drawPreview();
        },
      ),
    ],
  });
  const preview = mitigationPreview(say, save);
  const effects = element("div");

  const drawCounts = (): void => {
    if (matrices.length === 0) return;
    const { certain, open } = sumOf(matrices, epsilon, k);
    const looked = matrices.reduce((sum, matrix) => sum + Math.min(k, matrix.vectors.length), 0);
    const floor = median(matrices.map(({ noiseFloor }) => noiseFloor));
    summary.textContent = [
      open > 0 ? say("{0} intruders, {1} undecided", certain, open) : say("{0} intruders", certain),
      say("of {0} vectors in {1} matrices", looked, matrices.length),
      say("energy {0}", short(energyOf(matrices, epsilon, k))),
      epsilon < floor
        ? say("ε is below the noise floor {0}: a random vector counts too", short(floor))
        : say("noise floor {0}", short(floor)),
    ].join(" · ");
    const { rows, columns, places } = layoutOf(matrices.map(({ name }) => name));
    const values = places.map((place) => {
      const matrix = matrices[place];
      return matrix === undefined ? NaN : countOf(matrix, epsilon, k).certain;
    });
    map.set({
      rows,
      columns,
      values,
      scale: "value",
      low: 0,
      high: Math.max(1, ...values.filter(Number.isFinite)),
    });
    const counts = [...epsilons].map((value) => sumOf(matrices, value, k));
    over.set([
      {
        label: say("certain"),
        points: { x: epsilons, y: Float64Array.from(counts, (count) => count.certain) },
      },
      ...(counts.some((count) => count.open > 0)
        ? [
            {
              label: say("with undecided"),
              points: {
                x: epsilons,
                y: Float64Array.from(counts, (count) => count.certain + count.open),
              },
            },
          ]
        : []),
    ]);
    drawSeries();
    drawHistogram();
    drawVectors();
  };
  const drawSeries = (): void => {
    const series = overTraining(found, epsilon, k, say);
    trainingBox.hidden = series.length === 0;
    if (!trainingBox.hidden) training.set(series);
    const name = say("Counts over the sweep");
    const table = overSweep(found, epsilon, k, say);
    replaceWith(
      sweep,
      ...(table === undefined
        ? []
        : [element("h3", { text: name }), tableElement(table, say("More rows"), name)]),
    );
  };
  const drawHistogram = (): void => {
    const cosines = matrices.flatMap((matrix) =>
      matrix.vectors.slice(0, k).map(({ lower, upper }) => (lower + upper) / 2),
    );
    const edges = Float64Array.from({ length: 41 }, (_, index) => index / 40);
    const counts = new Float64Array(40);
    for (const cosine of cosines) {
      const bin = Math.min(39, Math.max(0, Math.floor(cosine * 40)));
      counts[bin] = (counts[bin] ?? 0) + 1;
    }
    const name = say("Greatest cosine of each vector");
    replaceWith(
      histogram,
      figure(bars({ title: name, x: say("greatest cosine"), y: say("vectors"), edges, counts }), {
        ...options,
        title: name,
        caption: say(
          "n = {0}; the middle of an interval stands for a vector that is only bounded",
          cosines.length,
        ),
        fileName: "intruder-cosines",
      }),
    );
  };
  const drawPreview = (): void => {
    const matrix = shownMatrix();
    if (matrix !== undefined) preview.show(matrices, matrix, { keep, which, epsilon, k });
  };
  const shownMatrix = (): Matrix | undefined =>
    matrices.find(({ name }) => name === chosen) ?? matrices[0];
  const drawVectors = (): void => {
    const matrix = shownMatrix();
    if (matrix === undefined) return;
    drawPreview();
    replaceWith(vectors, ...vectorTable(matrix, epsilon, k, say));
    const place = { file, tensor: cosinesTensor(matrix.name) };
    cosines
      .show(
        `${file} ${matrix.name}`,
        matrix.hasCosines ? () => host.ask("array", place) : undefined,
      )
      .catch((error: unknown) => showFailure(vectors, error));
  };
  const choose = (chosenFile: string): void => {
    const one = found.find((each) => each.file === chosenFile) ?? found.at(-1);
    file = one?.file ?? "";
    matrices = (one?.document.matrices ?? []).map(matrixOf);
    replaceWith(controls, one && controlElement(one.document, say));
  };
  const drawPicker = (): void =>
    replaceWith(
      picker,
      found.length < 2
        ? undefined
        : select(
            say("Analysis"),
            found.map((one) => ({ value: one.file, text: labelOf(one, say) })),
            file,
            (value) => {
              choose(value);
              drawCounts();
            },
          ),
    );

  const draw = (view: IntrudersView): void => {
    title.textContent = view.label;
    work.setWorking(view.working);
    const before = found.length;
    found = documentsOf(view.documents, "intruders");
    // A new one is what was asked for.
    choose(found.length > before ? "" : file);
    drawPicker();
    replaceWith(
      root,
      title,
      work.element,
      ...(matrices.length === 0
        ? [
            element("p", {
              class: "empty",
              text: say(
                "Nothing has been counted yet. Count compares the top vectors of every matrix with the base.",
              ),
            }),
          ]
        : [
            picker,
            summary,
            controls,
            ...figures,
            trainingBox,
            sweep,
            histogram,
            vectors,
            cosines.element,
          ]),
      ...(view.canMitigate
        ? [
            element("h1", { text: say("Mitigation") }),
            mitigate.element,
            ...(matrices.length === 0 ? [] : [preview.element]),
            effects,
          ]
        : []),
    );
    replaceWith(effects, ...mitigationElements(documentsOf(view.documents, "mitigation"), say));
    drawCounts();
  };
  const load = async (): Promise<void> => draw(await host.ask("load", null));

  host.on("progress", work.progress);
  host.on("ended", (end) => {
    work.ended(end);
    mitigate.ended(end);
  });
  host.on("changed", () => void load().catch((error: unknown) => showFailure(root, error)));
  await load();
  await host.ask("ready", null);
});

function median(values: readonly number[]): number {
  const sorted = values.filter(Number.isFinite).toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}
