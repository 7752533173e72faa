/** @file Texts are found again by their patterns, part by part; what is not known stays. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createTranslator } from "../../../server/src/translation.ts";
import { translatorFor } from "../../../server/src/languages.ts";

const { say, find } = createTranslator({
  texts: {
    "Use {0}.": "Nimm {0}.",
    "Use {0}, or leave it.": "Nimm {0}, oder lass es.",
    "There is no `{0}` here; did you mean `{1}`?": "`{1}` statt `{0}`?",
    "{0} must be {1}.": "{0} muss {1} sein.",
    "a number": "eine Zahl",
    "a number {0}": "eine Zahl {0}",
    "above {0}": "über {0}",
    "{0}: {1}": "{0} – {1}",
  },
  between: { ", ": ", ", " and ": " und ", " or ": " oder " },
});

describe("a translator", () => {
  it("takes the longest pattern, with its parts in the language's own order", () => {
    assert.equal(say("Use this, or leave it."), "Nimm this, oder lass es.");
    assert.equal(say("There is no `a` here; did you mean `b`?"), "`b` statt `a`?");
  });

  it("says parts that are known, and lists of names, in the language", () => {
    assert.equal(say("`r` must be a number above 0."), "`r` muss eine Zahl über 0 sein.");
    assert.equal(say("Use `a or b`, `c` or `d`."), "Nimm `a or b`, `c` oder `d`.");
  });

  it("goes sentence by sentence, and leaves those that it does not know", () => {
    assert.equal(
      say("Use `a`. Nobody knows. Use `b`.\nUse `c`."),
      "Nimm `a`. Nobody knows. Nimm `b`.\nNimm `c`.",
    );
    assert.equal(say("some folder/x.jsonl:3:1: Use `a`."), "some folder/x.jsonl:3:1: Nimm `a`.");
  });

  it("fits nothing to a pattern that is hardly one", () => {
    assert.equal(find("Somebody's words: and more of them"), undefined);
    assert.equal(find("`x`: a number"), "`x` – eine Zahl");
  });

  it("keeps fractions as the file has them, and thousands apart", () => {
    assert.equal(say("Use 12,288 or 0.5."), "Nimm 12\u202f288 oder 0.5.");
    assert.equal(say("Use `12,288`."), "Nimm `12,288`.");
  });

  it("is quick with long and hostile text", () => {
    const text = `Use ${"a, or ".repeat(500)}`;
    assert.equal(say(text), text);
    assert.equal(say("`".repeat(3000)), "`".repeat(3000));
  });

  it("is there for the locales of a language, and leaves others in English", () => {
    assert.equal(translatorFor("de-CH").say("Remove it."), "Streichen Sie es.");
    for (const locale of ["en", "den", "fr", undefined])
      assert.equal(translatorFor(locale).say("Remove it."), "Remove it.");
  });
});
