/** @file Half-typed, tab-indented and broken documents: every question is answered, at every place. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { world } from "../../golden/server/world.ts";
import { askEverything } from "./every-answer.ts";

const golden = join(import.meta.dirname, "../../golden/server");
const facts = world();

describe("half-typed documents", { timeout: 60_000 }, () => {
  for (const name of ["whole.peft.yaml", "checks/targets.peft.yaml", "checks/labels.peft.yaml"])
    it(`are answered when ${name} ends anywhere`, () => {
      const text = readFileSync(join(golden, name), "utf8");
      for (let end = 0; end <= text.length; end += 1) askEverything(text.slice(0, end), end, facts);
    });
});

describe("broken documents", { timeout: 60_000 }, () => {
  const broken: readonly string[] = [
    "",
    "\n",
    "\t",
    "\tversion: 1\n\tmodel: ./base\n",
    "method:\n\ttype: lora\n  r: 8\n",
    "- a\n- b\n",
    "just a text",
    "{{{{[[[[",
    "}}}}]]]]",
    "a: &x [*x, *x]\nb: *y",
    "method: !!python/object x",
    "? [complex, key]\n: value\n? \n",
    "method: {type: lora, r: }",
    "method: [lora, [lora], {type: [lora]}]",
    "data: { train: [1, 2], eval: { from: 3 } }\nmodel: { id: { a: b } }",
    "train: 5\neval: x\nsweep: [1]\nrun: null\nmethod: null\ndata: ~",
    "sweep: { grid: { a.b.c: 5, method: [full, { type: lora }] }, paired: 3, tune: { x: 1 }, seeds: {} }",
    "method: { type: lora, target_modules: '(', rank_pattern: { '(': 3, '*': 4 } }\nmodel: ./base\ndata: { train: ./train.jsonl }",
    "model: ./base\nmodel: ./other\n<<: { a: 1 }\n<<: *a",
    "a: |\n  b\n c\n\td\ne: >-\n\n\n",
    'x: "\\q\nunclosed',
    "# spectune-ignore:\n# spectune-ignore: a, b, \nversion: 1 # spectune-ignore-file: few-steps",
    "\u0000\ufeff\u2028 a: \ud800",
    "---\n...\n---\na: 1\n",
    "version: 1e999\ntrain: { batch_size: .inf, learning_rate: -.nan }",
  ];
  for (const text of broken)
    it(JSON.stringify(text.slice(0, 50)), () => {
      for (let offset = 0; offset <= text.length; offset += 1) askEverything(text, offset, facts);
    });
});
