/** @file Our matcher against Python's `re`, expression by expression and text by text. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { translatePythonRegex } from "../../../src/engine/session/python-regex/translate.ts";
import {
  isProblem,
  json,
  listOf,
  object,
  parseJson,
  text,
  type Decoder,
} from "../../../src/shared/wire.ts";
import type { Json } from "../../../src/shared/schema.ts";

interface Row {
  readonly pattern: string;
  /** Why Python refuses it. */
  readonly error?: string;
  readonly texts?: readonly string[];
  /** For each text: whether all of it matches, and the first group of the last match. */
  readonly found?: readonly Json[];
}

const row: Decoder<Row> = object<Row>(
  { pattern: text },
  { error: text, texts: listOf(text), found: listOf(json) },
);

function readRows(): readonly Row[] {
  const file = join(import.meta.dirname, "fixtures/python-re.json");
  const read = object<{ python: string; rows: readonly Row[] }>(
    { python: text, rows: listOf(row) },
    {},
  )(parseJson(readFileSync(file, "utf8")), "");
  assert.ok(!isProblem(read));
  return read.rows;
}

/** The one difference: a group that matches nothing in the last round of a repeat around it. */
const emptyRound = "(a*)*";

const rows = readRows();

describe("Python-style regular expressions", () => {
  it("are refused where Python refuses them", () => {
    const accepted = rows.filter(
      ({ pattern, error }) => error !== undefined && translatePythonRegex(pattern).ok,
    );
    assert.deepEqual(
      accepted.map(({ pattern, error }) => [pattern, error]),
      [],
    );
  });

  it("match what Python's match; what has no counterpart is refused by name", () => {
    const unsupported: string[] = [];
    const wrong: unknown[] = [];
    for (const { pattern, error, texts = [], found = [] } of rows) {
      if (error !== undefined || pattern === emptyRound) continue;
      const translated = translatePythonRegex(pattern);
      if (!translated.ok) {
        assert.match(translated.message, /not supported/, pattern);
        unsupported.push(pattern);
        continue;
      }
      const { source, flags, groups } = translated;
      const whole = new RegExp(`^(?:${source})$`, flags);
      const each = new RegExp(source, `g${flags}`);
      texts.forEach((one, index) => {
        const last = [...one.matchAll(each)].at(-1);
        const group = groups === 0 ? last?.[0] : last?.groups?.["g1"];
        const ours = [whole.test(one), group ?? null];
        if (JSON.stringify(ours) !== JSON.stringify(found[index]))
          wrong.push([pattern, one, ours, found[index]]);
      });
    }
    assert.deepEqual(wrong, []);
    assert.ok(
      unsupported.length >= 4 && unsupported.length < rows.length / 20,
      unsupported.join("\n"),
    );
  });
});
