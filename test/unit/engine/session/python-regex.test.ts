/** @file Python-style matching: refusals by name, and a time limit that ends what would run for ever. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createFullMatch, createLastGroup } from "../../../../src/engine/session/python-regex.ts";
import { UserError } from "../../../../src/shared/errors.ts";

const patient = 60_000;

function refusal(work: () => unknown): UserError {
  try {
    work();
  } catch (error) {
    assert.ok(error instanceof UserError);
    return error;
  }
  return assert.fail("nothing was refused");
}

describe("createFullMatch", () => {
  it("matches whole names, not parts of them", () => {
    const fullMatch = createFullMatch(patient);
    assert.equal(fullMatch(String.raw`.*\.(q|v)_proj`, "model.layers.0.self_attn.v_proj"), true);
    assert.equal(fullMatch("q_proj|k_proj", "k_proj.bias"), false);
    assert.equal(fullMatch("a", "a\n"), false);
    assert.equal(fullMatch("a$", "a"), true);
  });

  it("ends a match that would take longer than the universe has been there, and goes on", () => {
    const fullMatch = createFullMatch(50);
    const text = `${"a".repeat(5000)}b`;
    const error = refusal(() => fullMatch("(a+)+$", text));
    assert.equal(error.code, "regex-too-slow");
    assert.match(error.message, /50 ms/);
    const again = refusal(() => createLastGroup(50)("(?:a|a)*c", text));
    assert.equal(again.code, "regex-too-slow");
    assert.equal(createFullMatch(patient)("a+b", text), true);
  });

  it("refuses what is no expression, and what has no counterpart here", () => {
    const cases = {
      "(": /unterminated subpattern \(at character 1\)/,
      "a**": /multiple repeat/,
      "(a)?(?(1)b|c)": /conditional group .* not supported/,
      "\\N{BULLET}": /by its name/,
      "(a)?\\1": /may refer to a group that has matched nothing/,
      "(?<=a+)b": /fixed-width/,
      [`${"(".repeat(101)}a${")".repeat(101)}`]: /nested deeper/,
      ["a".repeat(10_001)]: /longer than/,
    };
    for (const [pattern, why] of Object.entries(cases)) {
      const error = refusal(() => createFullMatch(patient)(pattern, "a"));
      assert.equal(error.code, "regex-invalid");
      assert.match(error.message, why);
      assert.ok(error.message.length < 500);
    }
    assert.equal(createFullMatch(patient)("(?P<name>a)(?P=name)", "aa"), true);
  });
});

describe("createLastGroup", () => {
  const lastGroup = createLastGroup(patient);

  it("gives the first group of the last match, or the match where there is no group", () => {
    assert.equal(lastGroup("#### (-?[0-9.,]+)", "#### 1\nso #### -42.5\n"), "-42.5");
    assert.equal(lastGroup("[0-9]+", "7 and 9"), "9");
    assert.equal(lastGroup("(a)(b)", "ab"), "a");
  });

  it("gives nothing without a match, and where the group has no part in it", () => {
    assert.equal(lastGroup("#### (.*)", "no answer"), undefined);
    assert.equal(lastGroup("(a)|b", "ab"), undefined);
  });
});
