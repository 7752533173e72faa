/** @file A histogram as a small picture of its own, with curves over it where a law was fitted to it. */
import { element, svgElement } from "../shared/dom.ts";
import type { Drawing } from "./figure.ts";
import { linearAxis } from "./axis.ts";
import { short } from "./numbers.ts";
import { barsSvg, topOf } from "./svg-text.ts";

export interface Bars {
  readonly title: string;
  readonly x: string;
  readonly y: string;
  /** One more than there are counts. */
  readonly edges: ArrayLike<number>;
  readonly counts: ArrayLike<number>;
  readonly curves?: readonly BarsCurve[];
}

/** A curve over the bars, in their units. */
export interface BarsCurve {
  readonly label: string;
  /** Where it begins and ends on the x axis. */
  readonly from: number;
  readonly to: number;
  readonly value: (x: number) => number;
}

const size = { width: 720, height: 170, left: 44, right: 20, top: 8, bottom: 20 } as const;

export function bars(given: Bars): Drawing {
  const { title, edges, counts, curves = [] } = given;
  const first = edges[0] ?? 0;
  const across = linearAxis(first, edges[edges.length - 1] ?? 1);
  const lines = curves.map((curve) => ({ label: curve.label, points: pointsOf(curve) }));
  const up = linearAxis(0, topOf(counts, lines));
  const floor = size.height - size.bottom;
  const place = (value: number): number =>
    size.left + across.share(value) * (size.width - size.left - size.right);
  const height = (count: number): number => up.share(count) * (floor - size.top);
  const shapes = Array.from(counts, (count, index) => {
    const from = edges[index] ?? 0;
    const to = edges[index + 1] ?? 0;
    const width = Math.max(0.5, place(to) - place(from) - 0.5);
    return svgElement(
      "rect",
      { attributes: { x: place(from), y: floor - height(count), width, height: height(count) } },
      svgElement("title", { text: `${short(from)} … ${short(to)}: ${short(count)}` }),
    );
  });
  const ticks = [
    ...across.ticks.map((tick) => label(short(tick), place(tick), size.height - 5, "middle")),
    ...up.ticks.map((tick) => label(short(tick), size.left - 6, floor - height(tick) + 4, "end")),
  ];
  return {
    element: element(
      "div",
      { class: "bars" },
      svgElement(
        "svg",
        {
          attributes: {
            viewBox: `0 0 ${size.width} ${size.height}`,
            role: "img",
            "aria-label": title,
          },
        },
        ...shapes,
        ...lines.map(({ points }, index) =>
          svgElement("polyline", {
            class: `curve curve-${index % 2}`,
            attributes: {
              points: points.map(([x, y]) => `${place(x)},${floor - height(y)}`).join(" "),
            },
          }),
        ),
        ...lines.flatMap(({ label: name }, index) => legend(name, index)),
        ...ticks,
      ),
    ),
    table: () => ({
      columns: [`${given.x} ≥`, `${given.x} <`, given.y, ...curves.map((curve) => curve.label)],
      rows: Array.from(counts, (count, index) => {
        const middle = ((edges[index] ?? NaN) + (edges[index + 1] ?? NaN)) / 2;
        return [
          edges[index],
          edges[index + 1],
          count,
          ...curves.map(({ from, to, value }) =>
            middle >= from && middle <= to ? value(middle) : undefined,
          ),
        ];
      }),
    }),
    svg: () => barsSvg({ ...given, lines }),
  };
}

/** So many points of a curve as its picture needs. */
function pointsOf({ from, to, value }: BarsCurve): readonly (readonly [x: number, y: number])[] {
  return Array.from({ length: 121 }, (_, index) => {
    const x = from + ((to - from) * index) / 120;
    return [x, value(x)] as const;
  });
}

/** A line as the curve's own, and its name, at the right. */
function legend(name: string, index: number): readonly SVGElement[] {
  const y = size.top + 8 + 15 * index;
  const right = size.width - size.right;
  return [
    svgElement("line", {
      class: `curve curve-${index % 2}`,
      attributes: { x1: right - 26, x2: right, y1: y, y2: y },
    }),
    label(name, right - 32, y + 4, "end"),
  ];
}

function label(text: string, x: number, y: number, anchor: "middle" | "end"): SVGTextElement {
  return svgElement("text", { text, attributes: { x, y, "text-anchor": anchor } });
}
