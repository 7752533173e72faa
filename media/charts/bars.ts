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

const size = { width: 480, height: 150, bottom: 18 } as const;

export function bars(given: Bars): Drawing {
  const { title, edges, counts } = given;
  const first = edges[0] ?? 0;
  const across = linearAxis(first, edges[edges.length - 1] ?? 1);
  const up = linearAxis(0, Math.max(1, ...Array.from(counts)));
  const floor = size.height - size.bottom;
  const shapes = Array.from(counts, (count, index) => {
    const from = edges[index] ?? 0;
    const to = edges[index + 1] ?? 0;
    const left = across.share(from) * size.width;
    const height = up.share(count) * (floor - 6);
    return svgElement(
      "rect",
      {
        attributes: {
          x: left,
          y: floor - height,
          width: Math.max(0.5, across.share(to) * size.width - left - 0.5),
          height,
        },
      },
      svgElement("title", { text: `${short(from)} … ${short(to)}: ${short(count)}` }),
    );
  });
  const ticks = across.ticks.map((tick) =>
    svgElement("text", {
      text: short(tick),
      attributes: {
        x: across.share(tick) * size.width,
        y: size.height - 4,
        "text-anchor": "middle",
      },
    }),
  );
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
