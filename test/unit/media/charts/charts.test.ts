/** @file Axes, numbers, colours, tables and pictures of charts. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { linearAxis, logAxis, rangeOf } from "../../../../media/charts/axis.ts";
import { colorAt, scales } from "../../../../media/charts/colors.ts";
import { bytes, duration, grouped, short } from "../../../../media/charts/numbers.ts";
import { barsSvg, cellsSvg, linesSvg } from "../../../../media/charts/svg-text.ts";

describe("axes", () => {
  it("write round numbers within themselves", () => {
    assert.deepEqual(linearAxis(0, 1).ticks, [0, 0.2, 0.4, 0.6, 0.8, 1]);
    assert.deepEqual(linearAxis(-3, 47).ticks, [0, 10, 20, 30, 40]);
    assert.deepEqual(logAxis(1e-3, 10).ticks, [1e-3, 1e-2, 1e-1, 1, 10]);
  });

  it("place numbers evenly, by value or by power", () => {
    assert.equal(linearAxis(10, 20).share(15), 0.5);
    assert.ok(Math.abs(logAxis(1e-4, 1).share(1e-2) - 0.5) < 1e-12);
    assert.equal(linearAxis(5, 5).share(5), 0.5);
  });

  it("span what is finite, and above 0 where they are of powers", () => {
    assert.deepEqual(
      rangeOf(
        [
          [NaN, -1, 4],
          [Infinity, 2],
        ],
        false,
      ),
      { low: -1, high: 4 },
    );
    assert.deepEqual(
      rangeOf(
        [
          [NaN, -1, 4],
          [0, 2],
        ],
        true,
      ),
      { low: 2, high: 4 },
    );
    assert.equal(rangeOf([[NaN]], false), undefined);
  });
});

describe("numbers", () => {
  const cases: readonly (readonly [string, string])[] = [
    [short(0), "0"],
    [short(NaN), "–"],
    [short(1.23456), "1.235"],
    [short(-0.5), "−0.5"],
    [short(2e-4), "2e-4"],
    [short(12345.6), "12346"],
    [short(1.5e9), "1.5e9"],
    [bytes(0), "0 B"],
    [bytes(1_740_000_000), "1.74 GB"],
    [duration(8.25), "8.3 s"],
    [duration(3_725), "1 h 2 min"],
    [grouped(1_658_080), "1\u2009658\u2009080"],
  ];
  for (const [written, expected] of cases)
    it(`writes ${expected}`, () => assert.equal(written, expected));
});

describe("colours", () => {
  it("become lighter along the scale of values", () => {
    const light = scales.value.map(
      ([red, green, blue]) => 0.2126 * red + 0.7152 * green + 0.0722 * blue,
    );
    assert.ok(
      light.every((value, place) => place === 0 || value >= (light[place - 1] ?? NaN) - 0.6),
    );
  });

  it("stay within the scale, and nothing has none", () => {
    assert.deepEqual(colorAt("value", -1), scales.value[0]);
    assert.deepEqual(colorAt("value", 2), scales.value[255]);
    assert.equal(colorAt("value", NaN), undefined);
  });
});

describe("pictures", () => {
  const isWhole = (svg: string): void => {
    assert.match(svg, /^<svg [^>]*>.*<\/svg>\n$/su);
    assert.doesNotMatch(svg, /NaN|undefined|Infinity/u);
  };

  it("draw lines with gaps as paths of several parts", () => {
    const points = { x: Float64Array.of(1, 2, 3, 4), y: Float64Array.of(1, NaN, 3, 4) };
    const svg = linesSvg({
      title: "a < b",
      x: "step",
      y: "loss",
      isLog: false,
      series: [{ label: "l", points }],
    });
    isWhole(svg);
    assert.match(svg, /a &lt; b/u);
    assert.equal((/ d="([^"]*)"/u.exec(svg)?.[1] ?? "").match(/M/gu)?.length, 2);
  });

  it("draw nothing at 0 on an axis of powers", () => {
    const points = { x: Float64Array.of(1, 2), y: Float64Array.of(0, 10) };
    isWhole(
      linesSvg({ title: "t", x: "x", y: "y", isLog: true, series: [{ label: "l", points }] }),
    );
  });

  it("draw a cell each, and bars of their counts", () => {
    const cells = cellsSvg({
      title: "t",
      rows: ["a", "b"],
      columns: ["0", "1"],
      fill: (row) => (row === 0 ? "rgb(1, 2, 3)" : undefined),
    });
    isWhole(cells);
    assert.equal(cells.match(/rgb\(1, 2, 3\)/gu)?.length, 2);
    isWhole(barsSvg({ title: "t", x: "x", y: "y", edges: [0, 1, 2], counts: [3, 0] }));
  });
});
