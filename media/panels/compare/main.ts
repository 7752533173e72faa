/** @file The compare panel: curves over each other, figures with intervals and differences, and what the experiments differ in. */
import "uplot/dist/uPlot.min.css";
import "../../shared/panel.css";
import "./compare.css";
import type { GrowingCurves } from "../../../src/shared/curves.ts";
import { growingCurves } from "../../../src/shared/curves.ts";
import type { CompareView } from "../../../src/shared/panels/compare.ts";
import { comparePanel } from "../../../src/shared/panels/compare.ts";
import type { LiveRun } from "../../../src/shared/panels/live.ts";
import { smoothed } from "../../charts/decimate.ts";
import { figure } from "../../charts/figure.ts";
import { lineChart } from "../../charts/line-chart.ts";
import { smoothingSlider } from "../../charts/smoothing.ts";
import { checkbox, element, replaceWith } from "../../shared/dom.ts";
import { findingsElement } from "../../shared/findings.ts";
import { openPage, showFailure } from "../../shared/page.ts";
import { configTable, metricsTable } from "./tables.ts";

openPage(comparePanel, async ({ host, root, say }) => {
  const save = (file: { readonly name: string; readonly content: string | Uint8Array }): void =>
    void host.ask("save", file).catch((error: unknown) => showFailure(root, error));
  const curves = new Map<string, GrowingCurves>();
  let runs: readonly LiveRun[] = [];
  let smoothing = 0;

  const charts = [
    { title: say("Training loss"), name: "loss", column: "loss" as const },
    { title: say("Gradient norm"), name: "gradient-norm", column: "gradNorm" as const },
  ].map(({ title, name, column }) => {
    const chart = lineChart({ title, x: say("step"), y: title, height: 260, cursor: "compare" });
    const controls = [checkbox(say("log"), false, (on) => chart.setLog(on))];
    return { column, chart, box: figure(chart, { title, fileName: name, say, save, controls }) };
  });
  const measured = lineChart({
    title: say("Evaluation loss"),
    x: say("step"),
    y: say("Evaluation loss"),
    height: 200,
    cursor: "compare",
  });
  const measuredBox = figure(measured, {
    title: say("Evaluation loss"),
    fileName: "evaluation-loss",
    say,
    save,
  });

  const drawCurves = (): void => {
    for (const { column, chart, box } of charts) {
      const series = runs.map(({ head, label }, color) => {
        const its = curves.get(head.folder);
        const y = its?.column(column) ?? new Float64Array(0);
        return { label, color, points: { x: its?.column("step") ?? y, y: smoothed(y, smoothing) } };
      });
      box.hidden = series.every(({ points }) => points.y.every(Number.isNaN));
      if (!box.hidden) chart.set(series);
    }
    const points = runs.map(({ label, evaluations }, color) => {
      const own = evaluations.filter(({ split, metrics }) => split === "eval" && "loss" in metrics);
      return {
        label,
        color,
        points: {
          x: Float64Array.from(own, ({ step }) => step),
          y: Float64Array.from(own, ({ metrics }) => metrics["loss"] ?? NaN),
        },
      };
    });
    measuredBox.hidden = points.every(({ points: { x } }) => x.length < 2);
    if (!measuredBox.hidden) measured.set(points);
  };
  const controls = element(
    "div",
    { class: "controls" },
    smoothingSlider(say, (weight) => {
      smoothing = weight;
      drawCurves();
    }),
  );

  const draw = ({ runs: given, comparison, refusal }: CompareView): void => {
    runs = given;
    curves.clear();
    for (const { head, curve } of runs) {
      const own = growingCurves();
      own.add(curve);
      curves.set(head.folder, own);
    }
    replaceWith(
      root,
      element("h1", { text: say("{0} runs compared", runs.length) }),
      refusal === undefined ? undefined : element("p", { class: "failure", text: refusal }),
      ...(comparison === undefined
        ? []
        : [
            findingsElement(comparison.findings),
            metricsTable(comparison, say, save),
            configTable(comparison, say, save),
          ]),
      controls,
      ...charts.map(({ box }) => box),
      measuredBox,
    );
    drawCurves();
  };
  const load = async (): Promise<void> => draw(await host.ask("load", null));

  host.on("curve", ({ run, chunk }) => {
    curves.get(run)?.add(chunk);
    requestAnimationFrame(drawCurves);
  });
  host.on("changed", () => void load().catch((error: unknown) => showFailure(root, error)));
  await load();
  await host.ask("ready", null);
});
