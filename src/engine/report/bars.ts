/** @file Bars as SVG: a histogram with rules such as a threshold and a noise floor. */
import type { Rule } from "./line-chart.ts";
import { escape, extent, f, number, svg, text, ticks } from "./svg.ts";

export interface Bars {
  readonly x: string;
  readonly y: string;
  /** One more than there are counts, ascending. */
  readonly edges: readonly number[];
  readonly counts: readonly number[];
  readonly rules?: readonly Rule[];
}

const [width, height, left, right, top, bottom] = [720, 260, 64, 16, 14, 44];

export function bars({ x, y, edges, counts, rules = [] }: Bars): string {
  const [x0, x1] = extent(edges);
  const most = Math.max(1, ...counts);
  const px = (value: number): number => left + ((value - x0) / (x1 - x0)) * (width - left - right);
  const py = (value: number): number => height - bottom - (value / most) * (height - top - bottom);
  const parts: string[] = [];
  for (const value of ticks(x0, x1))
    parts.push(text(px(value), height - bottom + 16, number(value), "middle"));
  for (const value of ticks(0, most))
    parts.push(
      `<line class="g" x1="${left}" x2="${width - right}" y1="${f(py(value))}" y2="${f(py(value))}"/>`,
      text(left - 6, py(value) + 4, number(value), "end"),
    );
  for (const [bin, count] of counts.entries()) {
    const [from, to] = [px(edges[bin] ?? 0), px(edges[bin + 1] ?? 0)];
    parts.push(
      `<rect x="${f(from)}" y="${f(py(count))}" width="${f(Math.max(0.5, to - from - 1))}" height="${f(height - bottom - py(count))}" fill="#0072b2"/>`,
    );
  }
  for (const [index, { name, x: place }] of rules.entries())
    parts.push(
      `<line class="r" stroke-dasharray="3 3" x1="${f(px(place))}" x2="${f(px(place))}" y1="${top}" y2="${height - bottom}"/>`,
      text(px(place) + 4, top + 10 + 14 * index, name, "start"),
    );
  parts.push(
    text((left + width - right) / 2, height - 8, x, "middle"),
    `<text transform="translate(14 ${(height - bottom + top) / 2}) rotate(-90)" text-anchor="middle">${escape(y)}</text>`,
  );
  return svg(width, height, parts);
}
