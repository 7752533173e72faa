/** @file The side view: curves of the chosen runs, drawn as they train. */
import "uplot/dist/uPlot.min.css";
import "../../shared/panel.css";
import "./live.css";
import type { CurveColumn, GrowingCurves } from "../../../src/shared/curves.ts";
import { growingCurves } from "../../../src/shared/curves.ts";
import { livePanel } from "../../../src/shared/panels/live.ts";
import type { LiveRun, LiveView } from "../../../src/shared/panels/live.ts";
import type { Evaluation } from "../../../src/shared/protocol.ts";
import type { RunHead } from "../../../src/shared/run-head.ts";
import type { LineSeries } from "../../charts/decimate.ts";
import { smoothed } from "../../charts/decimate.ts";
import { figure } from "../../charts/figure.ts";
import { lineChart } from "../../charts/line-chart.ts";
import { smoothingSlider } from "../../charts/smoothing.ts";
import { bytes, short } from "../../charts/numbers.ts";
import { checkbox, element, replaceWith } from "../../shared/dom.ts";
import type { Page } from "../../shared/page.ts";
import { openPage, showFailure } from "../../shared/page.ts";
import type { Say } from "../../shared/say.ts";
import { headElement } from "./head.ts";

/** A run that is shown, with what came of it so far. */
interface Shown {
  head: RunHead;
  readonly label: string;
  readonly curves: GrowingCurves;
  evaluations: readonly Evaluation[];
}

interface Chart {
  readonly title: string;
  readonly column: CurveColumn;
  /** Of the y axis. */
  readonly unit: string;
  readonly format: (value: number) => string;
  readonly hasLog: boolean;
}

function chartsOf(say: Say): readonly Chart[] {
  const chart = (column: CurveColumn, title: string, hasLog = false): Chart => ({
    ...{ title, column, unit: title, format: short, hasLog },
  });
  return [
    chart("loss", say("Loss"), true),
    chart("lr", say("Learning rate")),
    chart("gradNorm", say("Gradient norm"), true),
    { ...chart("tokensPerSecond", say("Speed")), unit: say("tokens/s") },
    { ...chart("memoryBytes", say("Memory")), format: bytes },
  ];
}

openPage(livePanel, async (page) => {
  const { host, root, say } = page;
  const shown = new Map<string, Shown>();
  let smoothing = 0;
  let view: LiveView = { shown: [], others: [] };

  const heads = element("div", { class: "heads" });
  const plots = chartsOf(say).map(({ title, column, unit, format, hasLog }) => {
    const chart = lineChart({
      title,
      x: say("step"),
      y: unit,
      height: column === "loss" ? 170 : 120,
      format,
      cursor: "step",
    });
    const controls = hasLog ? [checkbox(say("log"), false, (on) => chart.setLog(on))] : [];
    const options = { title, fileName: column, say, controls, save: saved(page) };
    return { column, chart, figure: figure(chart, options) };
  });
  const controls = element(
    "div",
    { class: "controls" },
    smoothingSlider(say, (weight) => {
      smoothing = weight;
      drawCurves();
    }),
  );

  const drawHeads = (): void => {
    replaceWith(
      heads,
      ...[...shown.values()].map(({ head, label }, index) =>
        headElement({ head, label, index, alone: shown.size === 1, page }),
      ),
      chooser(),
    );
  };
  const chooser = (): HTMLElement | undefined => {
    if (view.others.length + shown.size < 2) return undefined;
    const boxes = [
      ...[...shown.values()].map(({ head, label }) => ({ folder: head.folder, label, on: true })),
      ...view.others.map((other) => ({ ...other, on: false })),
    ];
    return element(
      "details",
      { class: "chooser" },
      element("summary", { text: say("Other runs ({0})", view.others.length) }),
      ...boxes.map(({ folder, label, on }) =>
        checkbox(label, on, (isOn) => {
          const folders = new Set(shown.keys());
          if (isOn) folders.add(folder);
          else folders.delete(folder);
          choose([...folders]);
        }),
      ),
    );
  };
  const choose = (folders: readonly string[]): void => {
    page.keep({ runs: folders });
    host
      .ask("choose", { runs: folders })
      .then(showView, (error: unknown) => showFailure(root, error));
  };

  const drawCurves = (): void => {
    for (const { column, chart, figure: box } of plots) {
      const series = [...shown.values()].flatMap((run, index) => seriesOf(run, column, index));
      box.hidden = series.every(({ points }) => points.y.every(Number.isNaN));
      if (!box.hidden) chart.set(series);
    }
  };
  const seriesOf = (
    { label, curves, evaluations }: Shown,
    column: CurveColumn,
    color: number,
  ): readonly LineSeries[] => {
    const name = shown.size > 1 ? label : say("train");
    const line = {
      label: name,
      color,
      points: { x: curves.column("step"), y: smoothed(curves.column(column), smoothing) },
    };
    const measured =
      column === "loss"
        ? evaluations.filter(({ split, metrics }) => split === "eval" && "loss" in metrics)
        : [];
    if (measured.length === 0) return [line];
    const points = {
      x: Float64Array.from(measured, ({ step }) => step),
      y: Float64Array.from(measured, ({ metrics }) => metrics["loss"] ?? NaN),
    };
    return [
      line,
      {
        label: shown.size > 1 ? say("{0}, evaluation", label) : say("evaluation"),
        color: color + (shown.size > 1 ? 0 : 1),
        style: "points",
        points,
      },
    ];
  };

  const showView = (next: LiveView): void => {
    view = next;
    shown.clear();
    for (const run of next.shown) shown.set(run.head.folder, opened(run));
    if (shown.size === 0) {
      replaceWith(
        root,
        element("p", {
          class: "empty",
          text: say("No run yet. Open an experiment and press Run."),
        }),
        chooser(),
      );
      return;
    }
    replaceWith(root, heads, controls, ...plots.map(({ figure: box }) => box));
    drawHeads();
    drawCurves();
  };

  host.on("head", (head) => {
    const run = shown.get(head.folder);
    if (run === undefined) return;
    run.head = head;
    drawHeads();
  });
  host.on("curve", ({ run: folder, chunk }) => {
    const run = shown.get(folder);
    if (run === undefined) return;
    run.curves.add(chunk);
    atNextFrame(drawCurves);
  });
  host.on("evaluations", ({ run: folder, evaluations }) => {
    const run = shown.get(folder);
    if (run === undefined) return;
    run.evaluations = evaluations;
    atNextFrame(drawCurves);
  });
  host.on(
    "changed",
    () => void host.ask("load", null).then(showView, (error: unknown) => showFailure(root, error)),
  );
  showView(await host.ask("load", null));
  await host.ask("ready", null);
});

function opened({ head, label, curve, evaluations }: LiveRun): Shown {
  const curves = growingCurves();
  curves.add(curve);
  return { head, label, curves, evaluations };
}

function saved(
  page: Page<typeof livePanel>,
): (file: { readonly name: string; readonly content: string | Uint8Array }) => void {
  return (file) =>
    void page.host.ask("save", file).catch((error: unknown) => showFailure(page.root, error));
}

let waiting: (() => void) | undefined;

/** Many events of one moment are drawn once. */
function atNextFrame(act: () => void): void {
  if (waiting === undefined)
    requestAnimationFrame(() => {
      const now = waiting;
      waiting = undefined;
      now?.();
    });
  waiting = act;
}
