/** @file The report as one page: figures with their tables, and nothing from outside. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { csv, reportPage } from "../../../../src/engine/report/page.ts";
import { heatMap } from "../../../../src/engine/report/heat-map.ts";
import { lineChart } from "../../../../src/engine/report/line-chart.ts";

const table = { head: ["run", "loss"], rows: [['a "b", c', 1.5]] };

it("asks no network, has CSV and SVG beside each chart, and leaves text out on request", () => {
  const svg = lineChart({
    x: "step",
    y: "<loss>",
    series: [
      {
        name: "a",
        points: [
          [1, 2],
          [2, NaN],
          [3, 1],
        ],
      },
    ],
  });
  const blocks = [
    { kind: "chart", caption: "Loss, n = 1", svg, table },
    { kind: "sample", text: "a secret <sentence>" },
  ] as const;
  const page = reportPage("A & B", blocks, { withoutText: false });
  assert.match(page, /a secret &lt;sentence&gt;/);
  assert.match(page, /A &amp; B/);
  assert.match(page, /href="data:text\/csv;base64,/);
  assert.match(page, /href="data:image\/svg\+xml;base64,/);
  assert.match(page, /prefers-color-scheme:dark/);
  assert.doesNotMatch(page.replaceAll("http://www.w3.org/2000/svg", ""), /https?:|<script|src=/);
  assert.doesNotMatch(reportPage("A", blocks, { withoutText: true }), /secret/);
  assert.doesNotMatch(svg, /NaN|<loss>/);
});

it("quotes CSV as RFC 4180 says", () => {
  assert.equal(csv(table), 'run,loss\r\n"a ""b"", c",1.5\r\n');
});

it("leaves cells of a heat map out that are not there", () => {
  const svg = heatMap({ rows: ["layer 0"], columns: ["q", "k"], values: [[2, undefined]] });
  assert.equal(svg.match(/<rect/g)?.length, 1);
});
