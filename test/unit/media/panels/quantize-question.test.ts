/** @file A wrong name in the list of quantizers is told before anything is asked. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { problemText, wordsOf, wrongWord } from "../../../../media/panels/quantize/question.ts";
import { translate } from "../../../../src/shared/translate.ts";

const known = ["nf4", "rtn", "gptq", "float"];
const wrong = (text: string): string | undefined => {
  const found = wrongWord(wordsOf(text), known);
  const say = (english: string, ...values: readonly (string | number)[]) =>
    translate({}, english, ...values);
  return found && problemText(found, say);
};

describe("the list of quantizers", () => {
  it("takes names, with bits and groups", () => {
    for (const text of ["nf4", " nf4, gptq:3,rtn:4:64 ,", "int3"])
      assert.equal(wrong(text), undefined, text);
  });

  it("names the word that is wrong, and what may be meant", () => {
    assert.equal(wrong("nf4,gtpq:3"), "There is no quantizer gtpq; did you mean gptq?");
    assert.equal(wrong("zzzzzz"), "There is no quantizer zzzzzz.");
    assert.equal(wrong("int9"), "There is no quantizer int9.");
    assert.equal(wrong("gptq:x"), "gptq:x is not of the form NAME:BITS:GROUP with whole numbers.");
    assert.equal(
      wrong("gptq:3:64:1"),
      "gptq:3:64:1 is not of the form NAME:BITS:GROUP with whole numbers.",
    );
    assert.equal(wrong(" , "), "Name at least one quantizer.");
  });
});
