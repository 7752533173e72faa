/** @file `spectune methods --json`: exactly the fields that scripts rely on, over every kind of row. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { listedRows } from "../../src/engine/catalog-list.ts";
import { isRecord } from "../../src/shared/wire.ts";
import { spectune } from "../support/command-line.ts";
import { makeWorkspace } from "../support/workspace.ts";

const fields = [
  ...[
    "name",
    "title",
    "kind",
    "paperTitle",
    "paper",
    "axes",
    "export",
    "quantizedBase",
    "evidence",
  ],
];

it("lists every row of the catalog with these fields alone", async (t) => {
  const { out, code } = await spectune(makeWorkspace(t), "methods", "--json");
  assert.equal(code, 0);
  const list: unknown = JSON.parse(out);
  assert(Array.isArray(list));
  assert.deepEqual(
    list.map((row: unknown) => (isRecord(row) ? `${text(row["kind"])} ${text(row["name"])}` : "")),
    listedRows().map(({ kind, name }) => `${kind} ${name}`),
  );
  const kinds = new Set(list.map((row: unknown) => (isRecord(row) ? row["kind"] : undefined)));
  for (const kind of [
    "method",
    "initialiser",
    "sharing",
    "optimizer",
    "quantizer",
    "schedule",
    "metric",
  ])
    assert(kinds.has(kind), kind);
  for (const row of list) {
    assert(isRecord(row));
    const name = text(row["name"]);
    assert.deepEqual(Object.keys(row), fields, name);
    assert(text(row["title"]).length > 0, name);
    // A learning-rate schedule is nobody's paper, nor is a metric.
    if (row["kind"] !== "schedule" && row["kind"] !== "metric") {
      assert(text(row["paperTitle"]).length > 10, name);
      assert.match(text(row["paper"]), /^https:\/\//u, name);
    }
    assert(isRecord(row["axes"]), name);
    for (const [axis, place] of Object.entries(row["axes"])) {
      assert.match(axis, /^[PIRXUTBE]$/u, name);
      text(place);
    }
    const forms = words(row["export"]);
    assert(row["kind"] !== "method" || forms.length > 0, name);
    for (const form of forms)
      assert.match(form, /^(peft:[A-Z0-9_]+( \(use_dora\))?|lora|lora-2r|own|merged)$/u);
    assert.match(text(row["quantizedBase"]), /^(yes|no: .{10,})$/u, name);
    const levels = words(row["evidence"]);
    assert.deepEqual(
      levels,
      ["invariants", "reference", "task"].filter((level) => levels.includes(level)),
    );
    assert(levels.includes("invariants"), name);
  }
});

function text(value: unknown): string {
  assert(typeof value === "string");
  return value;
}

function words(value: unknown): readonly string[] {
  assert(Array.isArray(value));
  return value.map(text);
}
