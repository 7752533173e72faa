/** @file Lines as SVG: series with bands of uncertainty, and rules that stand upright. */
import { colours, escape, extent, f, number, svg, text, ticks } from "./svg.ts";

export interface Series {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
  /** Between what is sure and what is possible, or the ends of intervals. */
  readonly band?: readonly (readonly [x: number, low: number, high: number])[];
}

/** An upright line that means something by itself, such as a noise floor. */
export interface Rule {
  readonly name: string;
  readonly x: number;
}

export interface LineChart {
  readonly x: string;
  readonly y: string;
  readonly logX?: boolean;
  readonly logY?: boolean;
  readonly series: readonly Series[];
  readonly rules?: readonly Rule[];
}

const [width, height, left, right, top, bottom] = [720, 340, 64, 16, 14, 44];

/** What is not finite, or not positive on a logarithmic axis, is left out of the drawing; the table has it. */
export function lineChart({
  x,
  y,
  logX = false,
  logY = false,
  series,
  rules = [],
}: LineChart): string {
  const across = (value: number): number => (logX ? Math.log10(value) : value);
  const up = (value: number): number => (logY ? Math.log10(value) : value);
  const isDrawn = (a: number, b: number): boolean =>
    Number.isFinite(across(a)) && Number.isFinite(up(b));
  const drawn = series.map(({ name, points, band = [] }) => ({
    name,
    points: points.filter(([a, b]) => isDrawn(a, b)),
    band: band.filter(([a, low, high]) => isDrawn(a, low) && isDrawn(a, high)),
  }));
  const xs = drawn.flatMap(({ points }) => points.map(([a]) => across(a)));
  const ys = drawn.flatMap(({ points, band }) => [
    ...points.map(([, b]) => up(b)),
    ...band.flatMap(([, low, high]) => [up(low), up(high)]),
  ]);
  const [x0, x1] = extent([...xs, ...rules.map((rule) => across(rule.x))]);
  const [y0, y1] = extent(ys);
  const px = (value: number): number =>
    left + ((across(value) - x0) / (x1 - x0)) * (width - left - right);
  const py = (value: number): number =>
    height - bottom - ((up(value) - y0) / (y1 - y0)) * (height - top - bottom);
  const parts: string[] = [];
  for (const tick of ticks(x0, x1)) {
    const value = logX ? 10 ** tick : tick;
    parts.push(
      `<line class="g" x1="${f(px(value))}" x2="${f(px(value))}" y1="${top}" y2="${height - bottom}"/>`,
      text(px(value), height - bottom + 16, number(value), "middle"),
    );
  }
  for (const tick of ticks(y0, y1)) {
    const value = logY ? 10 ** tick : tick;
    parts.push(
      `<line class="g" x1="${left}" x2="${width - right}" y1="${f(py(value))}" y2="${f(py(value))}"/>`,
      text(left - 6, py(value) + 4, number(value), "end"),
    );
  }
  const names = [...drawn, ...rules].map(({ name }) => name);
  const columns = names.some(({ length }) => length > 30) ? 2 : 3;
  const letters = columns === 2 ? 46 : 30;
  const legend = (place: number, name: string, mark: string): void => {
    const wide = (width - left) / columns;
    const [row, column] = [Math.floor(place / columns), place % columns];
    const [lx, ly] = [left + column * wide, height + 14 + 18 * row];
    parts.push(
      `<g transform="translate(${lx} ${ly - 8})">${mark}</g>`,
      text(
        lx + 20,
        ly - 3,
        name.length > letters ? `${name.slice(0, letters - 1)}…` : name,
        "start",
      ),
    );
  };
  for (const [index, { name, points, band }] of drawn.entries()) {
    const colour = colours[index % colours.length] ?? "#666";
    const dash = index < colours.length ? "" : ' stroke-dasharray="5 3"';
    if (band.length > 1) {
      const edge = [
        ...band.map(([a, , high]) => `${f(px(a))},${f(py(high))}`),
        ...band.toReversed().map(([a, low]) => `${f(px(a))},${f(py(low))}`),
      ].join(" ");
      parts.push(`<polygon fill="${colour}" fill-opacity="0.18" points="${edge}"/>`);
    }
    const path = points.map(([a, b]) => `${f(px(a))},${f(py(b))}`);
    parts.push(
      points.length <= 12
        ? points
            .map(([a, b]) => `<circle cx="${f(px(a))}" cy="${f(py(b))}" r="3" fill="${colour}"/>`)
            .join("")
        : "",
      `<polyline fill="none" stroke="${colour}" stroke-width="1.6"${dash} points="${path.join(" ")}"/>`,
    );
    legend(index, name, `<rect width="14" height="4" fill="${colour}"/>`);
  }
  for (const [index, rule] of rules.entries()) {
    parts.push(
      `<line class="r" stroke-dasharray="3 3" x1="${f(px(rule.x))}" x2="${f(px(rule.x))}" y1="${top}" y2="${height - bottom}"/>`,
    );
    legend(
      drawn.length + index,
      rule.name,
      '<line class="r" stroke-dasharray="3 3" x1="0" x2="14" y1="2" y2="2"/>',
    );
  }
  parts.push(
    text((left + width - right) / 2, height - 8, `${x}${logX ? " (log)" : ""}`, "middle"),
    `<text transform="translate(14 ${(height - bottom + top) / 2}) rotate(-90)" text-anchor="middle">${escape(y)}${logY ? " (log)" : ""}</text>`,
  );
  const legendRows = Math.ceil(names.length / columns);
  return svg(width, height + 18 * legendRows + 6, parts);
}
