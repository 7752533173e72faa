/** @file Each fix that is offered, taken: what it mends is gone, and nothing else of the file is broken. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { analyse } from "../../../server/src/analysis.ts";
import { withDefaults } from "../../../server/src/defaults.ts";
import type { Diagnostic } from "../../../server/src/diagnostics.ts";
import { diagnose } from "../../../server/src/diagnostics.ts";
import { applyEdits } from "../../../src/shared/experiment/edits.ts";
import { base, world } from "../../golden/server/world.ts";

const facts = world();

function diagnosticsOf(text: string): readonly Diagnostic[] {
  return diagnose(analyse({ file: `${base}/a.peft.yaml`, text }, facts));
}

const columns = `version: 1
model: ./base
data:
  train: ./questions.jsonl
  format: prompt-completion
`;

const documents: Readonly<Record<string, string>> = {
  "behind a byte order mark":
    "\ufeff# as an editor of another system saves it\nmodel: ./base\nlr: 3.0e-4\nload_in_4bit: true\nlora_r: 4\ndata: { train: ./train.jsonl }\nmethod:\n  task_type: CAUSAL_LM\n  type: lora\n",
  "beside a field that stands elsewhere": `sequence_len: 64\n${columns}method: lora\n`,
  "beside a value where a map belongs": `${columns}  columns: 3\n  packin: false\nmethod: lora\n`,
  "of what a foreign name means for another method": `${columns}method: ia3\nlora_alpha: 16\nweight_decay: 0.1\ntrain: { optimizer: lomo, batch_size: 16, micro_batch_size: 4 }\n`,
  "of a name that repeats another section": `${columns}  r: 8\nmethod: { type: lora, r: 4 }\nlora_r: 2\n`,
  "with carriage returns":
    "model: ./base\r\nlora_r: 4\r\ndata: { trian: ./train.jsonl }\r\nmethod: lora\r\n",
};

describe("defaults that are written out", () => {
  const head = "version: 1\nmodel: ./base\ndata: { train: ./train.jsonl }\n";
  for (const [name, rest] of [
    ["behind the last section, which grows", "method: lora\ntrain:\n  seed: 3\n"],
    ["behind a last line without an end", "method: lora\ntrain:\n  seed: 3"],
    ["into braces with nothing in them", "method: lora\nsweep: {}\ntrain: {}\n"],
    ["into nested sections at the end", "method:\n  type: lora\n  init:\n    type: pissa\n"],
  ] as const)
    it(`leave the file whole: ${name}`, () => {
      const text = head + rest;
      const after = withDefaults(analyse({ file: `${base}/a.peft.yaml`, text }, facts), undefined);
      assert.ok(after !== undefined);
      assert.match(after, /^eval:$/m);
      assert.match(after, /seed: /);
      const errors = diagnosticsOf(after).filter(({ severity }) => severity === "error");
      assert.deepEqual(errors, [], after);
    });
});

describe("a fix mends what it is offered for", () => {
  for (const [name, text] of Object.entries(documents))
    it(name, () => {
      const before = diagnosticsOf(text);
      assert.ok(before.some(({ fixes }) => fixes.length > 0));
      const unreadable = (list: typeof before): number =>
        list.filter(({ code }) => code.startsWith("yaml-")).length;
      for (const { code, message, fixes } of before)
        for (const { title, edits } of fixes) {
          const fixed = applyEdits(text, edits);
          const after = diagnosticsOf(fixed);
          const left = after.filter((each) => each.code === code && each.message === message);
          assert.deepEqual(left, [], `${title}\n${fixed}`);
          assert.equal(unreadable(after), unreadable(before), `${title}\n${fixed}`);
        }
    });

  it("and offers to change no key that does not stand in the file", () => {
    const found = diagnosticsOf(documents["of what a foreign name means for another method"] ?? "");
    const unknown = found.filter(({ code }) => code === "unknown-field");
    assert.ok(unknown.length > 0);
    assert.deepEqual(
      unknown.flatMap(({ fixes }) => fixes),
      [],
    );
  });
});
