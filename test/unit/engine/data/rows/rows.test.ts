/** @file Rows of every kind of file, and what is said of malformed ones. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { at, UserError } from "../../../../../src/shared/errors.ts";
import { philox4x32 } from "../../../../../src/engine/data/batches/philox.ts";
import { readRows } from "../../../../../src/engine/data/rows/read-rows.ts";
import { columnText, columnValue, type Row } from "../../../../../src/engine/data/rows/row.ts";
import { collect, temporaryFile, userError } from "../files.ts";

function rowsOf(name: string, content: string | Uint8Array): Promise<readonly Row[]> {
  return collect(readRows(temporaryFile(name, content)));
}
const brief = (rows: readonly Row[]): readonly unknown[] =>
  rows.map(({ index, values, place }) => [index, place.line, values]);

test("JSON Lines: byte-order mark, CRLF, blank lines, no last break", async () => {
  assert.deepEqual(brief(await rowsOf("a.jsonl", '\ufeff{"a":1}\r\n\r\n  \n{"a":"é😀"}')), [
    [0, 1, { a: 1 }],
    [1, 4, { a: "é😀" }],
  ]);
});

test("JSON Lines: lines longer than a block, and characters across blocks", async () => {
  const long = "é".repeat(1_500_000);
  const rows = await rowsOf("a.jsonl", `{"a":"${long}"}\n{"a":"${long}b"}\n`);
  assert.deepEqual(
    rows.map((row) => [row.place.line, row.values.a === long || row.values.a === `${long}b`]),
    [
      [1, true],
      [2, true],
    ],
  );
});

test("JSON Lines: a short last block", async () => {
  const rows = await rowsOf("a.jsonl", `${'{"a":1}\n'.repeat(1 << 17)}{"a":2}`);
  assert.deepEqual([rows.length, rows[1 << 17]?.values], [(1 << 17) + 1, { a: 2 }]);
});

test("JSON Lines: the line at fault is named", async () => {
  const expect = (
    content: string | Uint8Array,
    line: number | undefined,
    message: RegExp,
    code = "malformed-data",
  ) => assert.rejects(rowsOf("a.jsonl", content), userError(code, line, message));
  await expect('{"a":1}\n{"a":\n', 2, /no JSON/);
  // The parser's own count is of the line, so the place says it.
  await assert.rejects(
    rowsOf("a.jsonl", '{"a":1}\n{"a" 2}\n'),
    (error) =>
      error instanceof UserError &&
      error.place?.line === 2 &&
      error.place.column === 6 &&
      !/position|column/.test(error.message),
  );
  await expect("\n[1]\n", 2, /holds a list/);
  await expect("[\n{},\n", 1, /one JSON list/);
  await expect("3\n", 1, /the number 3/);
  await expect(Buffer.from([0x7b, 0x7d, 0x0a, 0xff, 0x0a]), 2, /not UTF-8/, "not-utf8");
});

test("another encoding is named with how to convert it, and nothing is read as U+FFFD", async () => {
  const expect = (name: string, content: Uint8Array, line: number | undefined, message: RegExp) =>
    assert.rejects(rowsOf(name, content), userError("not-utf8", line, message));
  const texts = { "a.jsonl": '{"text":"a é"}\n', "a.csv": "text,label\na é,1\n", "a.txt": "a é\n" };
  for (const [name, text] of Object.entries(texts)) {
    const little = Buffer.from(text, "utf16le");
    await expect(name, little, undefined, /UTF-16, not UTF-8.*iconv -f UTF-16LE/);
    await expect(name, little.swap16(), undefined, /UTF-16, not UTF-8.*iconv -f UTF-16BE/);
    const marked = Buffer.from(`\ufeff${text}`, "utf16le");
    await expect(name, marked, undefined, /UTF-16, not UTF-8.*iconv -f UTF-16 -t/);
    const latin = Buffer.from(`${"\n".repeat(2)}${text}`, "latin1");
    const line = name === "a.csv" ? 4 : 3;
    await expect(name, latin, line, /Latin-1 as it seems: the byte 0xE9.*iconv -f ISO-8859-1/);
    await expect(name, Buffer.from(text.replace("é", "\x93"), "latin1"), line - 2, /Windows-1252/);
  }
  await assert.rejects(
    rowsOf("a.txt", Buffer.from("a é\n", "latin1")),
    (error) => error instanceof UserError && error.place?.column === 3,
  );
});

test("CSV: bytes that are no UTF-8 are found in whichever block they are", async () => {
  const record = `"${"é".repeat(999)}",1\r\n`;
  const whole = Buffer.from(`text,label\r\n${record.repeat(300)}`);
  const at = whole.lastIndexOf("é");
  const spoilt = Buffer.from(whole);
  spoilt[at + 1] = 0x41;
  await assert.rejects(rowsOf("a.csv", spoilt), userError("not-utf8", 301, /0xC3/));
  // A character that two blocks share is whole.
  assert.equal((await rowsOf("a.csv", whole)).length, 300);
});

test("text: one line is one row; blank lines are passed over", async () => {
  assert.deepEqual(brief(await rowsOf("a.txt", "one\n\n  two \r\n")), [
    [0, 1, { text: "one" }],
    [1, 3, { text: "  two " }],
  ]);
  assert.deepEqual(await rowsOf("a.txt", ""), []);
});

test("CSV: quotes, commas and breaks in fields, byte-order mark, CRLF, blank lines", async () => {
  const rows = await rowsOf(
    "a.CSV",
    '\ufeff\r\ntext,label\r\n"a, ""b""\nc",1\r\n\r\n\r\nd,\r\n"x\r\ny",2\nz,3',
  );
  assert.deepEqual(brief(rows), [
    [0, 3, { text: 'a, "b"\nc', label: "1" }],
    [1, 7, { text: "d", label: "" }],
    [2, 8, { text: "x\r\ny", label: "2" }],
    [3, 10, { text: "z", label: "3" }],
  ]);
});

test("CSV: lines are right over many blocks", async () => {
  const record = `"${"é\r\n".repeat(1000)}",1\r\n`;
  const rows = await rowsOf("a.csv", `text,label\r\n${record.repeat(100)}`);
  assert.deepEqual(
    rows.map((row) => row.place.line),
    Array.from({ length: 100 }, (_, index) => 2 + 1001 * index),
  );
});

test("CSV: the record at fault is named", async () => {
  const expect = (content: string, line: number, message: RegExp) =>
    assert.rejects(rowsOf("a.csv", content), userError("malformed-data", line, message));
  await expect("a,b\n1,2\n1\n", 3, /2 fields|1 fields, the header 2/);
  await expect('a,b\n\n1,"2\n3\n', 3, /opens a quote that nothing closes/);
  await expect('a,b\n1,2\n3,"x"y\n5,6\n', 3, /behind a closing quote/);
  await expect('a,b\n1,5" pipe\n', 2, /in the middle of a field/);
  await expect("a,a\n1,2\n", 1, /twice/);
});

test("Parquet: row groups, lists of structs, 64-bit integers, nulls", async () => {
  const file = join(import.meta.dirname, "fixtures", "small.parquet");
  const rows = await collect(readRows(file));
  assert.deepEqual(
    rows.map(({ index, values }) => [index, values.question, values.n, values.score, values.ok]),
    [
      [0, "1+1?", 1, 0.5, true],
      [1, "2+2?", "1152921504606846976", 1, false],
      [2, "é😀?", null, 2.5, null],
    ],
  );
  assert.deepEqual(rows[0]?.values.messages, [
    { role: "user", content: "hi" },
    { role: "assistant", content: "ho" },
  ]);
});

test("Parquet: what is none, or damaged, is told in our words", async () => {
  const whole = readFileSync(join(import.meta.dirname, "fixtures", "small.parquet"));
  const damaged = Buffer.from(whole);
  damaged.fill(0xee, 4, 200);
  const lying = Buffer.from(whole);
  lying.writeUInt32LE(4e9, whole.length - 8);
  const cases: readonly (readonly [string | Uint8Array, RegExp])[] = [
    ["", /is empty/],
    ['{"text": "a row of JSON"}', /no Parquet file/],
    ["PAR1 no", /no Parquet file/],
    [whole.subarray(0, -40), /cut short/],
    [damaged, /damaged/],
    [lying, /damaged/],
  ];
  for (const [content, message] of cases)
    await assert.rejects(
      rowsOf("a.parquet", content),
      (error) =>
        userError("malformed-data", undefined, message)(error) &&
        error instanceof UserError &&
        !/bounds|parquet |invalid/.test(error.message),
    );
});

test("files that are missing or of an unknown kind", async () => {
  const missing = join(import.meta.dirname, "none.jsonl");
  await assert.rejects(
    collect(readRows(missing)),
    (error) =>
      userError("missing-data-file", undefined, /There is no data file .*none\.jsonl/)(error) &&
      error instanceof UserError &&
      error.remedy === "Check the path.",
  );
  await assert.rejects(
    collect(readRows(import.meta.dirname + ".txt")),
    userError("missing-data-file", undefined, /There is no data file .*rows\.txt/),
  );
  assert.throws(() => readRows("a.json"), userError("unknown-data-file", undefined, /\.jsonl/));
  assert.throws(() => readRows("a"), userError("unknown-data-file", undefined, /no extension/));
});

test("damaged files of every kind are refused in words", async () => {
  const parquet = readFileSync(join(import.meta.dirname, "fixtures", "small.parquet"));
  const json = Buffer.from('{"a": "b\\u0041", "c": [1, {"d": null}]}\n'.repeat(20));
  const csv = Buffer.from('a,b\n"x ""y""",2\n'.repeat(20));
  let refused = 0;
  for (let seed = 0; seed < 120; seed += 1) {
    const [name, whole] = at(
      [
        ["a.jsonl", json],
        ["a.csv", csv],
        ["a.parquet", parquet],
      ] as const,
      seed % 3,
    );
    const [place, byte, length] = philox4x32([seed, 0, 0, 0], [3, 4]);
    const bytes = Buffer.from(
      whole.subarray(0, seed % 4 === 0 ? length % whole.length : whole.length),
    );
    if (bytes.length > 0) bytes[place % bytes.length] = byte & 0xff;
    await rowsOf(name, bytes).catch((error: unknown) => {
      assert.ok(error instanceof UserError, `seed ${seed}: ${String(error)}`);
      refused += 1;
    });
  }
  assert.ok(refused > 20, String(refused));
});

test("a missing column is answered with those there are and the nearest", () => {
  const row = { index: 4, values: { sentence: "a", label: null }, place: { file: "x", line: 5 } };
  assert.throws(
    () => columnValue(row, "sentense"),
    userError("missing-column", 5, /`sentence`, `label`.*`sentence`\?/),
  );
  assert.throws(() => columnText(row, "label"), userError("wrong-column-type", 5, /holds nothing/));
  assert.equal(columnText({ ...row, values: { n: 3 } }, "n"), "3");
  assert.throws(
    () => columnValue({ ...row, values: { "text;label": "a;b" } }, "text"),
    userError("missing-column", 5, /apart by semicolons.*sep=";"/),
  );
  assert.throws(
    () => columnValue({ ...row, values: { "text\tlabel": "a" } }, "text"),
    userError("missing-column", 5, /apart by tabs.*sep="\\t"/),
  );
});
