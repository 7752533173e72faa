/** @file The grammar of arithmetic, its bounds, and names that lead to other fields. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  evaluateExpression,
  looksLikeExpression,
  parseExpression,
} from "../../../../src/shared/experiment/expression.ts";
import { experimentOf, read, complete, told } from "./read.ts";

const names = new Map([
  ["r", 8],
  ["train.batch_size", 32],
]);

function valueOf(text: string): number | string | undefined {
  const parsed = parseExpression(text);
  return parsed.ok
    ? evaluateExpression(parsed.expression, (name) => names.get(name))
    : parsed.message;
}

describe("expressions", () => {
  const right: readonly (readonly [string, number])[] = [
    ["2r", 16],
    ["0.5 r", 4],
    [".5r", 4],
    ["r", 8],
    ["= 2r + 1", 17],
    ["= 1 + 2 * 3", 7],
    ["= (1 + 2) * 3", 9],
    ["= 2 - 3 - 4", -5],
    ["= 16 / 4 / 2", 2],
    ["= -r + 10", 2],
    ["= --r", 8],
    ["= 3 × r − 1", 23],
    ["= sqrt(2 * r)", 4],
    ["= min(r, 3, train.batch_size)", 3],
    ["= max(r, sqrt(16))", 8],
    ["= 1.5e-2 * 100", 1.5],
    ["=train.batch_size/r", 4],
    ["= 2 r", 16],
  ];
  for (const [text, value] of right) it(text, () => assert.equal(valueOf(text), value));

  const wrong: readonly (readonly [string, RegExp])[] = [
    ["=", /ends/],
    ["= 1 +", /ends/],
    ["= (1", /`\)` is missing/],
    ["= 1)", /not expected/],
    ["= 2 3", /not expected/],
    ["= * 2", /missing before/],
    ["= r; 1", /`;` is not part/],
    ["= require(1)", /no function/],
    ["= constructor(1)", /no function/],
    ["= sqrt(1, 2)", /one value/],
    ["= min()", /missing before/],
    [`= ${"(".repeat(100)}1`, /nested deeper/],
    [`= ${"-".repeat(100)}1`, /nested deeper/],
    [`= ${"1+".repeat(400)}1`, /longer/],
  ];
  for (const [text, message] of wrong)
    it(text.slice(0, 30), () => {
      const value = valueOf(text);
      assert.ok(typeof value === "string", `${text} gave ${value}`);
      assert.match(value, message);
    });

  it("tells expressions from other texts", () => {
    for (const text of ["2r", "r", "= 1", "train.batch_size", "2 r"])
      assert.ok(looksLikeExpression(text), text);
    for (const text of ["2e-4 ", "1_000", "", "a b", "8", "-r", "#r"])
      assert.ok(!looksLikeExpression(text), text);
  });
});

describe("expressions in a file", () => {
  it("reach fields beside them, around them and by path, defaults included", () => {
    const { method, train } = experimentOf(
      "method: { type: lora, alpha: = 2r + train.seed }\ntrain: { max_steps: = 3 * batch_size, seed: 4 }",
    );
    assert.equal(method[0]?.config["alpha"], 20);
    assert.equal(train.max_steps, 48);
  });

  it("reach fields of the same item of a list", () => {
    const { method } = experimentOf(
      "method:\n  - { type: lora, r: 4, alpha: 2r, target_modules: [a] }\n  - { type: lora, r: 16, alpha: 2r, target_modules: [b] }",
    );
    assert.deepEqual(
      method.map(({ config }) => config["alpha"]),
      [8, 32],
    );
  });

  it("keep their values for hints", () => {
    const { computed } = read(complete("method: { type: lora, r: 4, alpha: 2r }"));
    assert.deepEqual(
      computed.map(({ path, expression, value, at }) => [path, expression, value, at.start > 0]),
      [[["method", "alpha"], "2r", 8, true]],
    );
  });

  it("are bounded like numbers", () => {
    const { findings } = read(complete("train: { seed: = 0 - 1, batch_size: = 1 / 3 }"));
    assert.deepEqual(told(findings), ["out-of-bounds train.seed", "wrong-type train.batch_size"]);
  });

  it("are computed once each, however often they are used", () => {
    const chain = ["num_train_epochs", "max_steps", "batch_size", "warmup_steps", "max_grad_norm"];
    const fields = chain.map((name, index) => {
      const next = chain[index + 1];
      return `${name}: ${next === undefined ? 1 : `"= ${Array(10).fill(next).join(" + ")}"`}`;
    });
    const { findings, computed } = read(complete(`train: { ${fields.join(", ")} }`));
    assert.equal(computed.length, 4);
    assert.deepEqual(
      told(findings).filter((line) => line.startsWith("expression")),
      [],
    );
  });

  it("say which circle they are in", () => {
    const { findings } = read(complete("train: { seed: = max_steps, max_steps: = seed }"));
    assert.ok(told(findings).some((line) => line.startsWith("expression-cycle train.")));
  });
});
