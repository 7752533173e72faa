/** @file Charts as PDFs of lines and text: every shape is drawn, words can be found, and a stranger's script is left to a picture. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setText } from "../../../../media/charts/pdf-text.ts";
import { barsSvg, cellsSvg, linesSvg } from "../../../../media/charts/svg-text.ts";
import { vectorPdf } from "../../../../media/charts/vector-pdf.ts";

const series = (label: string, style: "line" | "points" = "line") => ({
  label,
  style,
  points: { x: Float64Array.of(1, 2, 3), y: Float64Array.of(1, NaN, 3) },
});

const lines = (label: string): string =>
  linesSvg({
    title: "Loss <1>",
    x: "step",
    y: "λ = σ²",
    isLog: false,
    series: [series(label), series("b", "points")],
  });

function contentOf(svg: string): string {
  const bytes = vectorPdf(svg);
  assert(bytes);
  return Buffer.from(bytes).toString("latin1");
}

const written = (text: string): string => `<${Buffer.from(text, "latin1").toString("hex")}> Tj`;

describe("a chart as a PDF", () => {
  it("has its words as text, and its curves as lines", () => {
    const text = contentOf(lines("größer"));
    for (const word of ["Loss <1>", "step", "größer"]) assert(text.includes(written(word)), word);
    assert.match(text, /\/Symbol 12 Tf <6c> Tj/);
    assert.match(text, / m \S+ \S+ l S/);
    assert.match(text, / c f/);
    const [, length] = /\/Length (\d+) >>\nstream\n/.exec(text) ?? [];
    assert.equal(text.slice(text.indexOf("stream\n") + 7).indexOf("\nendstream"), Number(length));
  });

  it("has every bar and cell", () => {
    const rects = (text: string): number => (text.match(/ re f/g) ?? []).length;
    assert.equal(
      rects(contentOf(barsSvg({ title: "t", x: "x", y: "y", edges: [0, 1, 2], counts: [3, 4] }))),
      3,
    );
    const cells = cellsSvg({
      title: "t",
      rows: ["q", "k"],
      columns: ["0"],
      fill: () => "rgb(0, 128, 255)",
    });
    assert.equal(rects(contentOf(cells)), 3);
    assert.match(contentOf(cells), /^0 0\.502 1 rg /m);
  });

  it("places words by their widths", () => {
    assert.equal(setText("AV")?.width, 667 + 667);
    assert.equal(setText("ö")?.width, 556);
    assert.match(contentOf(lines("a")), /1 0 0 -1 \S+ 20 Tm \/Helvetica 14 Tf/);
  });

  it("leaves to a picture what it cannot write", () => {
    assert.equal(vectorPdf(lines("実験")), undefined);
    assert.equal(vectorPdf('<svg width="1" height="1"><image/></svg>'), undefined);
    assert.equal(vectorPdf("<p>"), undefined);
  });
});
