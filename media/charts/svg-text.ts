/** @file Pictures that stand alone: lines, bars and cells as the text of an SVG on a light ground. */
import type { Axis } from "./axis.ts";
import { linearAxis, logAxis, rangeOf } from "./axis.ts";
import { seriesColor } from "./colors.ts";
import type { LineSeries } from "./decimate.ts";
import { short } from "./numbers.ts";

const size = { width: 720, height: 400, left: 64, right: 16, top: 40, bottom: 44 } as const;

export interface LinesPicture {
  readonly title: string;
  readonly x: string;
  readonly y: string;
  readonly isLog: boolean;
  readonly xIsLog?: boolean;
  readonly series: readonly LineSeries[];
}

/** Curves with axes and a legend. */
export function linesSvg({ title, x, y, isLog, xIsLog = false, series }: LinesPicture): string {
  const range = {
    x: rangeOf(
      series.map((one) => one.points.x),
      xIsLog,
    ) ?? { low: 0, high: 1 },
    y: rangeOf(
      series.map((one) => one.points.y),
      isLog,
    ) ?? { low: 0, high: 1 },
  };
  const axes = {
    x: xIsLog ? logAxis(range.x.low, range.x.high) : linearAxis(range.x.low, range.x.high),
    y: isLog ? logAxis(range.y.low, range.y.high) : linearAxis(range.y.low, range.y.high),
  };
  const shapes = series.map((one, index) =>
    curve(one, seriesColor(one.color ?? index, false), axes, isLog),
  );
  const legend = legendOf(
    series.map(({ label, color }, index) => ({ label, color: color ?? index })),
  );
  return picture(title, [...frame(axes, x, y), ...shapes, ...(series.length > 1 ? legend : [])]);
}

/** Names with the colours of their series. */
function legendOf(
  named: readonly { readonly label: string; readonly color: number }[],
): readonly string[] {
  return named.map(({ label, color }, index) => {
    const place = size.left + 8;
    const line = size.top + 14 + 16 * index;
    return (
      `<rect x="${place}" y="${line - 9}" width="10" height="10" fill="${seriesColor(color, false)}"/>` +
      `<text x="${place + 16}" y="${line}">${escaped(label)}</text>`
    );
  });
}

function curve(
  { points, style = "line" }: LineSeries,
  color: string,
  axes: { readonly x: Axis; readonly y: Axis },
  isLog: boolean,
): string {
  const parts: string[] = [];
  let isGap = true;
  for (const [index, value] of points.y.entries()) {
    const across = points.x[index] ?? NaN;
    if (!Number.isFinite(value) || !Number.isFinite(across) || (isLog && value <= 0)) {
      isGap = true;
      continue;
    }
    const [left, top] = [xPlace(axes.x.share(across)), yPlace(axes.y.share(value))];
    if (style === "points") parts.push(`<circle cx="${left}" cy="${top}" r="3" fill="${color}"/>`);
    else parts.push(`${isGap ? "M" : "L"}${left} ${top}`);
    isGap = false;
  }
  return style === "points"
    ? parts.join("")
    : `<path d="${parts.join("")}" fill="none" stroke="${color}" stroke-width="1.5"/>`;
}

function frame(
  axes: { readonly x: Axis; readonly y: Axis },
  x: string,
  y: string,
): readonly string[] {
  const bottom = size.height - size.bottom;
  const right = size.width - size.right;
  return [
    ...axes.y.ticks.map((tick) => {
      const top = yPlace(axes.y.share(tick));
      return (
        `<line x1="${size.left}" x2="${right}" y1="${top}" y2="${top}" stroke="#ddd"/>` +
        `<text x="${size.left - 6}" y="${top + 4}" text-anchor="end">${short(tick)}</text>`
      );
    }),
    ...axes.x.ticks.map((tick) => {
      const left = xPlace(axes.x.share(tick));
      return `<text x="${left}" y="${bottom + 16}" text-anchor="middle">${short(tick)}</text>`;
    }),
    `<line x1="${size.left}" x2="${right}" y1="${bottom}" y2="${bottom}" stroke="#888"/>`,
    `<text x="${(size.left + right) / 2}" y="${size.height - 8}" text-anchor="middle">${escaped(x)}</text>`,
    `<text transform="translate(14 ${(size.top + bottom) / 2}) rotate(-90)" text-anchor="middle">${escaped(y)}</text>`,
  ];
}

export interface CellsPicture {
  readonly title: string;
  readonly rows: readonly string[];
  readonly columns: readonly string[];
  /** The colour of a cell; none leaves it empty. */
  readonly fill: (row: number, column: number) => string | undefined;
}

/** A heat map, with names at its sides where they fit. */
export function cellsSvg({ title, rows, columns, fill }: CellsPicture): string {
  const width = size.width - 180 - size.right;
  const cell = {
    width: width / Math.max(1, columns.length),
    height: Math.min(22, 560 / Math.max(1, rows.length)),
  };
  const height = size.top + cell.height * rows.length + size.bottom;
  const shapes: string[] = [];
  for (const [row, name] of rows.entries()) {
    const top = size.top + row * cell.height;
    if (cell.height >= 9)
      shapes.push(
        `<text x="174" y="${top + cell.height / 2 + 4}" text-anchor="end">${escaped(name)}</text>`,
      );
    for (const column of columns.keys()) {
      const color = fill(row, column);
      if (color !== undefined)
        shapes.push(
          `<rect x="${180 + column * cell.width}" y="${top}" width="${cell.width}" height="${cell.height}" fill="${color}"/>`,
        );
    }
  }
  if (cell.width >= 18)
    for (const [column, name] of columns.entries())
      shapes.push(
        `<text x="${180 + (column + 0.5) * cell.width}" y="${height - size.bottom + 16}" text-anchor="middle">${escaped(name)}</text>`,
      );
  return picture(title, shapes, height);
}

export interface BarsPicture {
  readonly title: string;
  readonly x: string;
  readonly y: string;
  /** One more than there are bars. */
  readonly edges: ArrayLike<number>;
  readonly counts: ArrayLike<number>;
  readonly lines?: readonly BarsLine[];
}

/** A curve over the bars. */
export interface BarsLine {
  readonly label: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

/** What the axis of counts goes up to. */
export function topOf(counts: ArrayLike<number>, lines: readonly BarsLine[]): number {
  const heights = lines.flatMap(({ points }) => points.map(([, y]) => y));
  return Math.max(1, ...Array.from(counts), ...heights);
}

/** A histogram. */
export function barsSvg({ title, x, y, edges, counts, lines = [] }: BarsPicture): string {
  const last = edges[edges.length - 1] ?? 1;
  const axes = {
    x: linearAxis(edges[0] ?? 0, last),
    y: linearAxis(0, topOf(counts, lines)),
  };
  const bottom = yPlace(0);
  const bars = Array.from(counts, (count, index) => {
    const left = xPlace(axes.x.share(edges[index] ?? 0));
    const right = xPlace(axes.x.share(edges[index + 1] ?? 0));
    const top = yPlace(axes.y.share(count));
    return `<rect x="${left}" y="${top}" width="${Math.max(0.5, right - left - 0.5)}" height="${bottom - top}" fill="${seriesColor(0, false)}"/>`;
  });
  const curves = lines.map(({ points }, index) =>
    curve(
      {
        label: "",
        points: {
          x: Float64Array.from(points, ([across]) => across),
          y: Float64Array.from(points, ([, count]) => count),
        },
      },
      seriesColor(index + 1, false),
      axes,
      false,
    ),
  );
  const legend = legendOf(lines.map(({ label }, index) => ({ label, color: index + 1 })));
  return picture(title, [...frame(axes, x, y), ...bars, ...curves, ...legend]);
}

function picture(title: string, shapes: readonly string[], height: number = size.height): string {
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${size.width}" height="${height}" viewBox="0 0 ${size.width} ${height}" font-family="sans-serif" font-size="12" fill="#333">` +
    `<rect width="100%" height="100%" fill="#fff"/>` +
    `<text x="${size.width / 2}" y="20" text-anchor="middle" font-size="14">${escaped(title)}</text>` +
    `${shapes.join("")}</svg>\n`
  );
}

function xPlace(share: number): number {
  return rounded(size.left + share * (size.width - size.left - size.right));
}

function yPlace(share: number): number {
  return rounded(size.height - size.bottom - share * (size.height - size.top - size.bottom));
}

function rounded(value: number): number {
  return Math.round(100 * value) / 100;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
