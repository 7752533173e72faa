/** @file Experiments written out read back the same; identity is what is not about where it runs. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { numberText } from "../../../../src/shared/experiment/describe.ts";
import { collector } from "../../../../src/shared/experiment/findings.ts";
import { readText } from "../../../../src/shared/experiment/located.ts";
import {
  canonicalJson,
  identityText,
  serialise,
} from "../../../../src/shared/experiment/serialise.ts";
import { plain } from "../../../../src/shared/experiment/tree.ts";
import { writeYaml } from "../../../../src/shared/experiment/write-yaml.ts";
import { experimentOf, read, told } from "./read.ts";
import { smallCatalog } from "./small-catalog.ts";

const texts: readonly string[] = [
  "",
  "method: full",
  "method:\n  - { type: lora, r: 4, target_modules: '.*q_proj', init: pissa }\n  - { type: dora, alpha: 2r, layers_to_transform: [0, 1], rank_pattern: { a.b: 3, '^x': 2 } }",
  'quantization: { type: nf4, skip_modules: [] }\ndata: { train: \'a b: c #.csv\', template: "{prompt}\\n: \\"x\\"\\t\\u00e9\\U0001F600" }',
  "data: { train: t.csv, eval: { from: train, share: 5% }, test: u.csv, labels: ['1', yes, 'null', '', ' x ', '-', '2e-4', '0x1', '=a'] }",
  "data: { train: t.csv, eval: e.csv }\neval: { every: 0.5 epoch, metrics: [loss, { exact_match: { answer: '(\\d+)' } }], early_stop: {}, forgetting: ./g.txt }",
  "train: { learning_rate: 1.0e-7, max_steps: 10, optimizer: { type: sgd, momentum: 0.5 }, micro_batch_size: 4 }\nanalyze: { spectra: 10 steps, intruders: {} }",
  "sweep: { grid: { method.r: [1, 2r, null, [a, b]] }, paired: { a: [1], b: [{ x: y }] }, tune: { train.learning_rate: { times: [1, 3] } }, seeds: [1] }",
  "run: { device: cpu, threads: 2, report_to: [] }\nexport: [merged, script]\nreport: { interval: 99% }",
];

describe("serialise", () => {
  for (const [index, text] of texts.entries())
    it(`reads back to the same experiment (${index})`, () => {
      const experiment = experimentOf(text);
      const written = serialise(experiment, smallCatalog);
      const again = read(written);
      const errors = again.findings.filter(({ severity }) => severity === "error");
      assert.deepEqual(told(errors), []);
      assert.deepEqual(again.experiment, experiment);
      assert.equal(serialise(experiment, smallCatalog), written);
    });

  it("writes out every default, and numbers as every YAML reader takes them", () => {
    const written = serialise(experimentOf("train: { learning_rate: 2e-4 }"), smallCatalog);
    for (const line of [
      "  learning_rate: 2.0e-4",
      "  max_length: 1024",
      "    betas: [0.9, 0.999]",
      "    eps: 1.0e-8",
      "  every: 1 epoch",
      "  metrics: [loss, perplexity]",
      "quantization: null",
    ])
      assert.ok(written.split("\n").includes(line), line);
  });
});

describe("YAML for every reader", () => {
  it("reads back as it was, whatever the texts", () => {
    const awkward = [
      "no",
      "on",
      "null",
      "~",
      "1e3",
      "2.0e-4",
      "0o7",
      "1_0",
      "12:30",
      "2020-01-01",
      "a: b",
      "a #b",
      "- a",
      "[a",
      "{",
      "*a",
      "&a",
      "!a",
      "%a",
      "@a",
      "`a",
      "'",
      '"',
      "\\",
      "\n",
      " a",
      "a ",
      "",
      "\u2028",
      "\u0007",
      "é",
      "😀",
      "<<",
      "=",
      "...",
      "---",
      ".5",
      "y",
    ];
    const map = Object.fromEntries(awkward.map((text) => [text, text]));
    const nested = {
      ...map,
      list: awkward,
      maps: [map, {}, { a: [] }],
      deep: { a: { b: [1, null, true] } },
    };
    const { findings, report } = collector();
    const { root } = readText("f", writeYaml(nested), report);
    // Only the merge key is a key with a meaning; it is written in quotes and is none.
    assert.deepEqual(findings, []);
    assert.deepEqual(plain(root), nested);
  });

  it("writes small and large numbers with a point", () => {
    assert.equal(numberText(2e-4), "2.0e-4");
    assert.equal(numberText(-1.5e-8), "-1.5e-8");
    assert.equal(numberText(1e21), "1.0e+21");
    assert.equal(numberText(0), "0");
    assert.equal(numberText(0.06), "0.06");
    assert.equal(numberText(16), "16");
    for (const value of [2e-4, 1 / 3, 5e-324, 1.7e308, 123456789])
      assert.equal(Number(numberText(value)), value);
  });
});

describe("identity", () => {
  it("leaves out where it runs, and nothing else", () => {
    const identity = (text: string) => identityText(experimentOf(text), smallCatalog);
    assert.equal(identity("run: { device: cpu }"), identity("run: { device: webgpu }"));
    assert.equal(identity("train: { seed: 0 }"), identity("method: { type: lora, r: 8 }"));
    assert.notEqual(identity("train: { seed: 1 }"), identity(""));
    assert.notEqual(identity("report: { interval: 90% }"), identity(""));
  });

  it("is one text for one value", () => {
    assert.equal(
      canonicalJson({ b: [1, { d: null, c: "x" }], a: true }),
      '{"a":true,"b":[1,{"c":"x","d":null}]}',
    );
  });
});
