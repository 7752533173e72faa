/** @file Curves over a common axis, drawn by uPlot: zoom by dragging, values under the cursor, as many points as can be seen. */
import uPlot from "uplot";
import { element } from "../shared/dom.ts";
import { isDark, isHighContrast, onThemeChange, themeColor } from "../shared/page.ts";
import { seriesColor } from "./colors.ts";
import type { LineSeries } from "./decimate.ts";
import { aligned, decimate } from "./decimate.ts";
import type { Drawing } from "./figure.ts";
import { short } from "./numbers.ts";
import { linesSvg } from "./svg-text.ts";

export interface LineChartOptions {
  readonly title: string;
  readonly x: string;
  readonly y: string;
  readonly height: number;
  readonly isLog?: boolean;
  readonly xIsLog?: boolean;
  readonly format?: (value: number) => string;
  /** Charts of one name share their cursor. */
  readonly cursor?: string;
}

export interface LineChart extends Drawing {
  readonly set: (series: readonly LineSeries[]) => void;
  readonly setLog: (isLog: boolean) => void;
}

/**
 * More places than these are drawn by lines of one device pixel: where no GPU draws, as on many remotes, a browser takes
 * a fifteenth of the time for them.
 */
const densePoints = 400;

const wholeSteps = Array.from({ length: 10 }, (_, power) =>
  [1, 2, 5].map((digit) => digit * 10 ** power),
).flat();

export function lineChart(options: LineChartOptions): LineChart {
  const { format = short, xIsLog = false } = options;
  const box = element("div", { class: "lines" });
  let isLog = options.isLog ?? false;
  let series: readonly LineSeries[] = [];
  let plot: uPlot | undefined;
  /** What makes a new plot necessary; other changes only give it data. */
  let made = "";
  /** Of the x axis, while it is zoomed. */
  let zoom: readonly [number, number] | undefined;

  const draw = (): void => {
    const width = Math.max(80, box.clientWidth);
    const data = dataOf(width);
    const isDense = data[0].length > densePoints;
    const named = series.map(({ label, style }) => [label, style]);
    const key = JSON.stringify([named, isLog, isDark(), isHighContrast(), isDense, isWhole()]);
    if (plot !== undefined && key === made) {
      plot.setData(data, zoom === undefined);
      return;
    }
    made = key;
    plot?.destroy();
    plot = new uPlot(plotOptions(width, isDense), data, box);
  };
  const visible = (width: number): readonly LineSeries[] => {
    const ends = zoom ?? wholeRange(series);
    const floor = isLog ? 0 : -Infinity;
    // The least and the greatest of every two pixels.
    return series.map((one) => ({
      ...one,
      points: decimate(one.points, ...ends, width / 2, floor),
    }));
  };
  const dataOf = (width: number): uPlot.AlignedData =>
    aligned(visible(width).map(({ points }) => points));

  /** Steps and indices have nothing between them to write. */
  const isWhole = (): boolean =>
    series.every(({ points: { x } }) => [x[0] ?? 0, x.at(-1) ?? 0].every(Number.isInteger));

  const plotOptions = (width: number, isDense: boolean): uPlot.Options => {
    const ink = themeColor("foreground", "#888");
    // Borders of high contrast are as strong as what is drawn: a grid must not be.
    const line = isHighContrast() ? "#8886" : themeColor("widget-border", "#8884");
    const grid = { stroke: line, width: 1 };
    const axis = { stroke: ink, grid, ticks: grid, font: "11px sans-serif" };
    return {
      width,
      height: options.height,
      legend: { live: true },
      cursor: {
        drag: { x: true, y: false },
        ...(options.cursor === undefined ? {} : { sync: { key: options.cursor } }),
      },
      scales: {
        x: { time: false, ...distribution(xIsLog) },
        y: distribution(isLog),
      },
      axes: [
        {
          ...axis,
          ...(!xIsLog && isWhole() ? { incrs: wholeSteps } : {}),
          size: 28,
          values: (_plot, ticks) => ticks.map((tick) => tickText(tick, short)),
        },
        {
          ...axis,
          size: 62,
          values: (_plot, ticks) => ticks.map((tick) => tickText(tick, format)),
        },
      ],
      series: [
        { label: options.x },
        ...series.map((one, index) => {
          const stroke = seriesColor(one.color ?? index, isDark());
          return {
            label: one.label,
            stroke,
            width: isDense ? 1 / window.devicePixelRatio : 1.25,
            spanGaps: true,
            value: (_plot: uPlot, value: number | null) => (value === null ? "–" : format(value)),
            ...(one.style === "points"
              ? { paths: () => null, points: { show: true, size: 7, fill: stroke } }
              : { points: { show: false } }),
          };
        }),
      ],
      hooks: {
        setSelect: [
          (its) => {
            if (its.select.width < 3) return;
            zoom = [
              its.posToVal(its.select.left, "x"),
              its.posToVal(its.select.left + its.select.width, "x"),
            ];
            its.setData(dataOf(box.clientWidth), false);
          },
        ],
        ready: [
          (its) =>
            its.over.addEventListener("dblclick", () => {
              zoom = undefined;
              draw();
            }),
        ],
      },
    };
  };

  new ResizeObserver(() => {
    const width = Math.max(80, box.clientWidth);
    if (plot === undefined || plot.width === width) return;
    plot.setSize({ width, height: options.height });
    draw();
  }).observe(box);
  onThemeChange(draw);

  return {
    element: box,
    set(next) {
      series = next;
      draw();
    },
    setLog(on) {
      isLog = on;
      draw();
    },
    table: () => ({
      columns: [options.x, ...series.map(({ label }) => label)],
      rows: joinedRows(series),
    }),
    svg: () =>
      linesSvg({
        title: options.title,
        x: options.x,
        y: options.y,
        isLog,
        xIsLog,
        series: visible(1400),
      }),
  };
}

/** An even or a logarithmic scale, by uPlot's numbers: its enum exists as a type alone. */
function distribution(isLog: boolean): uPlot.Scale {
  // eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment
  return { distr: isLog ? 3 : 1 };
}

/** Ticks between those that are written have no text. */
function tickText(tick: number | null, format: (value: number) => string): string {
  return tick === null ? "" : format(tick);
}

function wholeRange(series: readonly LineSeries[]): readonly [number, number] {
  let low = Infinity;
  let high = -Infinity;
  for (const { points } of series) {
    low = Math.min(low, points.x[0] ?? Infinity);
    high = Math.max(high, points.x.at(-1) ?? -Infinity);
  }
  return low <= high ? [low, high] : [0, 1];
}

/** Rows of the table: each place once, with the value of every curve there. */
function joinedRows(series: readonly LineSeries[]): readonly (readonly (number | undefined)[])[] {
  const rows = new Map<number, (number | undefined)[]>();
  for (const [index, { points }] of series.entries())
    for (const [place, x] of points.x.entries()) {
      const row = rows.get(x) ?? Array.from<number | undefined>({ length: series.length });
      row[index] = points.y[place];
      rows.set(x, row);
    }
  return [...rows].toSorted(([a], [b]) => a - b).map(([x, values]) => [x, ...values]);
}
