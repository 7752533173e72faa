/** @file The README's picture: everything that it shows lies in it, and it says the numbers. */
import assert from "node:assert/strict";
import { it } from "node:test";
import type { DrawnRun } from "../../../src/build/picture/draw.ts";
import { draw } from "../../../src/build/picture/draw.ts";

const runs: readonly DrawnRun[] = [
  {
    name: "a & b",
    trainableParameters: 12345,
    losses: [8, 4, 0.002, 0.001],
    before: 0.02,
    after: 1,
  },
  { name: "c", trainableParameters: 6, losses: [9, 5, 3, 2], before: 0, after: 0.935 },
];

it("places all of it within its frame", () => {
  const svg = draw(runs);
  const [, width = NaN, height = NaN] = /viewBox="0 0 (\d+) (\d+)"/.exec(svg)?.map(Number) ?? [];
  const xs = [...svg.matchAll(/ (?:x|x1|x2|cx)="([^"]*)"/g)].map(([, x]) => Number(x));
  const ys = [...svg.matchAll(/ (?:y|y1|y2|cy)="([^"]*)"/g)].map(([, y]) => Number(y));
  for (const [, points = ""] of svg.matchAll(/points="([^"]*)"/g))
    for (const point of points.split(" ")) {
      const [x = NaN, y = NaN] = point.split(",").map(Number);
      xs.push(x);
      ys.push(y);
    }
  assert(xs.length > 30);
  for (const x of xs) assert(x >= 0 && x <= width, String(x));
  for (const y of ys) assert(y >= 0 && y <= height, String(y));
});

it("draws falling losses downwards, and the smaller lower", () => {
  const ends = [...draw(runs).matchAll(/points="([^"]*)"/g)].map(([, points = ""]) => {
    const ys = points.split(" ").map((point) => Number(point.split(",")[1]));
    for (const [index, y] of ys.entries()) assert(y >= (ys[index - 1] ?? 0));
    return ys.at(-1) ?? NaN;
  });
  assert.equal(ends.length, 2);
  assert((ends[0] ?? NaN) > (ends[1] ?? NaN));
});

it("says the scores and the parameters, and escapes what it says", () => {
  const svg = draw(runs);
  for (const words of ["a &amp; b", "12,345 trained", "93.5 %", "from 2 % to 100 %"])
    assert(svg.includes(words), words);
  assert(!svg.includes("a & b"));
});
