/** @file The expressions of tokenizer files, in JavaScript. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  translateOniguruma,
  UntranslatableExpression,
} from "../../../../../src/engine/data/tokenizer/oniguruma.ts";

/** Everything that the expression finds, with `|` between. */
function found(expression: string, text: string): string {
  return (text.match(new RegExp(translateOniguruma(expression), "gv")) ?? []).join("|");
}

const cases: readonly (readonly [expression: string, text: string, wanted: string])[] = [
  ["\\p{N}{1,3}", "12345", "123|45"],
  ["(?i:'s|'t)", "'s'S'T's'ſ", "'s|'S|'T|'s|'ſ"],
  ["(?i:a)a", "aaAaAA", "aa|Aa"],
  ["(?i:[k-l]|x)y?", "kKLXym", "k|K|L|Xy"],
  ["\\s+(?!\\S)|\\s+", "a   b\u0085", "  | |\u0085"],
  ["[^\\r\\n\\p{L}\\p{N}]?+\\p{L}+", "-ab cd", "-ab| cd"],
  ["a++ab|b", "aaab", "b"],
  ["(?>a|ab)c|.", "abc", "a|b|c"],
  ["a{,2}b", "aaab b", "aab|b"],
  ["[\\p{Han}]+|[一-龥]", "漢字a", "漢字"],
  ["[\\p{L}&&[^a-c]]+", "abcdef", "def"],
  ["[^(\\s|[.,!?])]+", "a(b|c d.e)f", "a|b|c|d|e|f"],
  ["[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+", "a^b]cd", "^b|]cd"],
  ["[[:alpha:]]+|[[:^digit:]]", "ab1-", "ab|-"],
  ["\\h+|\\d", "fg7٣", "f|7|٣"],
  ["^a|b$", "ab\nab", "a|b|a|b"],
  ["\\Aa|b\\z", "ab\nab", "a|b"],
  ["\\x{1F600}|\\u0041", "A😀", "A|😀"],
  ["a|(b)\\/", "ab/", "a|b/"],
];
for (const [expression, text, wanted] of cases)
  test(`/${expression}/ in ${JSON.stringify(text)}`, () =>
    assert.equal(found(expression, text), wanted));

for (const expression of [
  "(?<name>a)",
  "\\1",
  "(a",
  "a)",
  "[a",
  "[[:nosuch:]]",
  "\\p{Nosuch}",
  "(?x)a",
])
  test(`/${expression}/ is refused`, () =>
    assert.throws(() => translateOniguruma(expression), UntranslatableExpression));
