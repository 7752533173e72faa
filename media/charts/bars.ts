/** @file A histogram as a small picture of its own. */
import { element, svgElement } from "../shared/dom.ts";
import type { Drawing } from "./figure.ts";
import { linearAxis } from "./axis.ts";
import { short } from "./numbers.ts";
import { barsSvg } from "./svg-text.ts";

export interface Bars {
  readonly title: string;
  readonly x: string;
  readonly y: string;
  /** One more than there are counts. */
  readonly edges: ArrayLike<number>;
  readonly counts: ArrayLike<number>;
}

const size = { width: 720, height: 170, left: 44, right: 20, top: 8, bottom: 20 } as const;

export function bars(given: Bars): Drawing {
  const { title, edges, counts } = given;
  const first = edges[0] ?? 0;
  const across = linearAxis(first, edges[edges.length - 1] ?? 1);
  const up = linearAxis(0, Math.max(1, ...Array.from(counts)));
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
        ...ticks,
      ),
    ),
    table: () => ({
      columns: [`${given.x} ≥`, `${given.x} <`, given.y],
      rows: Array.from(counts, (count, index) => [edges[index], edges[index + 1], count]),
    }),
    svg: () => barsSvg(given),
  };
}

function label(text: string, x: number, y: number, anchor: "middle" | "end"): SVGTextElement {
  return svgElement("text", { text, attributes: { x, y, "text-anchor": anchor } });
}
