/** @file Reports: every analysis, run and sweep leaves one that opens alone, with what was found and nothing of the data where that is asked. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, it } from "node:test";
import { runsOf, spectune } from "../../support/command-line.ts";
import { makeWorkspace, tinyExperiment } from "../../support/workspace.ts";
import { matrix, writeAdapter } from "../../unit/engine/lab/folders.ts";
import { base, moduleOf, names, workspace } from "./small-models.ts";

/** The page, which asks nothing of a network and runs nothing; each figure has its caption, table and downloads. */
function page(...path: readonly string[]): string {
  const html = readFileSync(join(...path), "utf8");
  const own = html.replaceAll("http://www.w3.org/2000/svg", "").replace(/base64,[^"]*/g, "");
  assert.doesNotMatch(own, /https?:|<script|src=|@import|url\(/);
  const figures = html.split("<figure>").slice(1);
  assert(figures.length > 0, "figures");
  for (const figure of figures) {
    assert.match(figure, /<table>/);
    assert.match(figure, /<figcaption>[^<]*n = \d[^<]*spectune \d/);
    assert.match(figure, /download="[^"]*\.csv"/);
    if (figure.startsWith("<svg")) assert.match(figure, /download="[^"]*\.svg"/);
  }
  return html;
}

const q = {
  [`${moduleOf(names.q)}.lora_A.weight`]: matrix(2, 192, 1),
  [`${moduleOf(names.q)}.lora_B.weight`]: matrix(192, 2, 2),
};

describe("an analysis", () => {
  it("leaves a report of everything that was asked of it", async (t) => {
    const folder = await workspace(t);
    await writeAdapter(join(folder, "a"), {}, q);
    await writeAdapter(join(folder, "b"), {}, q);
    const of = (...args: readonly string[]) => spectune(folder, ...args);
    const shown = await of("intruders", "base", "--adapter", "a", "--exact", "--controls", "1");
    assert.match(shown.out, /^report {4}\S*base--a\/report\.html$/m);
    await of("spectra", "base", "--adapter", "a");
    await of("mitigate", "base", "--adapter", "a", "--keep", "0", "--out", "less");
    const html = page(folder, ".spectune/analysis/base--a/report.html");
    for (const words of [
      /Intruder dimensions of a/,
      /Counts over ε, ε = 0\.5, k = 10, reference base/,
      /Counts over k/,
      /noise floor/,
      /random update with ΔW&#39;s own|random update with ΔW's own/,
      /Similarity \|u_tuned · u_base\|/,
      /Profiles of the vector least like/,
      /Intruders by layer and module/,
      /Spectra of a/,
      /Singular values of model\.layers\.0\.self_attn\.q_proj/,
      /<h2>Mitigation/,
    ])
      assert.match(html, words);
    const diff = await of("diff", "a", "b", "--base", "base", "--report", "out/d.html");
    assert.equal(diff.code, 0, diff.err);
    assert.match(page(folder, "out/d.html"), /Overlap of two adapters/);
    assert.equal(Object.keys(base).length, 4);
  });
});

const generating = tinyExperiment.replace(
  "eval: { every: end }",
  "eval: { every: end, metrics: [loss, exact_match: { max_new_tokens: 4 }] }",
);

describe("a finished run", () => {
  it("has its report, with analyses of its course and those made later", async (t) => {
    const analyze =
      "analyze: { spectra: end, intruders: { every: 1 steps, k: 4, epsilon: 0.7 } }\n";
    const folder = makeWorkspace(t, `${generating}${analyze}`);
    assert.equal((await spectune(folder, "run", "a.peft.yaml")).code, 0);
    const [run = ""] = runsOf(folder);
    const html = page(run, "report.html");
    assert.match(html, /Loss over training, n = 1, seed 0/);
    assert.match(html, /Intruder dimensions over training, ε = 0\.7, k = 4/);
    assert.match(html, /Spectra of step 2/);
    assert.doesNotMatch(html, /Mitigation/);
    const args = ["mitigate", "--run", basename(run), "--out", "less", "--no-measure"];
    assert.equal((await spectune(folder, ...args)).code, 0);
    assert.match(page(run, "report.html"), /<h2>Mitigation/);
  });

  it("keeps text of the data out where `report.samples` or --without-text says so", async (t) => {
    const folder = makeWorkspace(t, generating);
    assert.equal((await spectune(folder, "run", "a.peft.yaml")).code, 0);
    const [run = ""] = runsOf(folder);
    const html = page(run, "report.html");
    const told = /Samples: →|<pre>/;
    assert.match(html, /<pre>eval after, example 1\n→ [^]*\n= (Ann|Bob|Cyd)/);
    const args = ["spectra", "--run", basename(run), "--without-text"];
    assert.equal((await spectune(folder, ...args)).code, 0);
    assert.doesNotMatch(page(run, "report.html"), told);
    const none = ["run", "a.peft.yaml", "--set", "report.samples=false"];
    assert.equal((await spectune(folder, ...none)).code, 0);
    const [, second = ""] = runsOf(folder);
    assert.doesNotMatch(page(second, "report.html"), told);
  });
});

describe("a finished sweep", () => {
  it("has its report: configurations over seeds, curves, and intruders of its runs", async (t) => {
    const sweep = `${tinyExperiment}analyze: { intruders: { every: end, epsilon: 0.7 } }
sweep:
  grid: { train.learning_rate: [0.01, 1.0] }
  seeds: [0, 1]
`;
    const folder = makeWorkspace(t, sweep);
    const json = await spectune(folder, "run", "a.peft.yaml", "--json");
    assert.equal(json.code, 0, json.err);
    const line: unknown = JSON.parse(json.out.trim().split("\n").at(-1) ?? "");
    assert(typeof line === "object" && line !== null && "sweepDir" in line);
    const html = page(String(line.sweepDir), "report.html");
    assert.match(html, /Means and intervals of 95 % over seeds[^<]*n = 2, seeds 0, 1/);
    assert.match(html, /Training loss, mean over seeds/);
    assert.match(html, /Counts over train\.learning_rate, ε = 0\.7, k = 10/);
  });
});
