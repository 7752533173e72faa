/** @file The emitted JSON schema agrees with our own checks about right and wrong files. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { parse } from "yaml";
import { experimentJsonSchema } from "../../../../src/shared/experiment/json-schema.ts";
import { plainExperiment } from "../../../../src/shared/experiment/serialise.ts";
import { experimentOf } from "./read.ts";
import { smallCatalog } from "./small-catalog.ts";

const schema: unknown = experimentJsonSchema(smallCatalog);

function field(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? Object.entries(value).find(([name]) => name === key)?.[1]
    : undefined;
}

function entriesOf(value: unknown): readonly (readonly [string, unknown])[] {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? Object.entries(value)
    : [];
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

const types: Readonly<Record<string, (value: unknown) => boolean>> = {
  null: (value) => value === null,
  boolean: (value) => typeof value === "boolean",
  number: (value) => typeof value === "number",
  integer: (value) => Number.isInteger(value),
  string: (value) => typeof value === "string",
  array: (value) => Array.isArray(value),
  object: (value) => typeof value === "object" && value !== null && !Array.isArray(value),
};

/** As much of draft-07 as the schema uses. */
function accepts(rule: unknown, value: unknown): boolean {
  const reference = field(rule, "$ref");
  if (typeof reference === "string")
    return accepts(
      field(field(schema, "definitions"), reference.replace("#/definitions/", "")),
      value,
    );
  const known = field(rule, "type");
  const names = typeof known === "string" ? [known] : listOf(known);
  const keys = entriesOf(value).map(([key]) => key);
  const text = typeof value === "string" ? value : undefined;
  const number = typeof value === "number" ? value : undefined;
  const bound = (key: string, holds: (value: number, limit: number) => boolean) => {
    const limit = field(rule, key);
    return number === undefined || typeof limit !== "number" || holds(number, limit);
  };
  const pattern = field(rule, "pattern");
  const isOpen = field(rule, "additionalProperties") !== false;
  const properties = field(rule, "properties");
  const options = field(rule, "anyOf");
  const words = field(rule, "enum");
  const required = listOf(field(rule, "required"));
  const inner = field(rule, "additionalProperties");
  const checks: readonly boolean[] = [
    names.length === 0 || names.some((name) => types[String(name)]?.(value) === true),
    options === undefined || listOf(options).some((option) => accepts(option, value)),
    words === undefined || listOf(words).includes(value),
    field(rule, "const") === undefined || field(rule, "const") === value,
    text === undefined || typeof pattern !== "string" || new RegExp(pattern).test(text),
    bound("minimum", (a, b) => a >= b),
    bound("maximum", (a, b) => a <= b),
    bound("exclusiveMinimum", (a, b) => a > b),
    bound("exclusiveMaximum", (a, b) => a < b),
    required.every((key) => keys.includes(String(key))),
    keys.every((key) => {
      const declared = field(properties, key);
      if (declared !== undefined) return accepts(declared, field(value, key));
      return isOpen && (typeof inner !== "object" || accepts(inner, field(value, key)));
    }),
    !Array.isArray(value) ||
      (value.length >= Number(field(rule, "minItems") ?? 0) &&
        value.every((item: unknown) => accepts(field(rule, "items") ?? {}, item))),
  ];
  return checks.every(Boolean);
}

describe("the JSON schema", () => {
  const folder = join(import.meta.dirname, "../../../golden/experiment/files");
  for (const name of ["a", "b", "c"])
    it(`accepts ${name}.peft.yaml`, () => {
      const value: unknown = parse(readFileSync(join(folder, `${name}.peft.yaml`), "utf8"));
      assert.ok(accepts(schema, value));
    });

  it("accepts an experiment with every default written out", () => {
    const experiment = experimentOf("quantization: nf4");
    const written = plainExperiment(experiment, smallCatalog);
    assert.ok(accepts(schema, written));
  });

  const head = "version: 1\nmodel: m\ndata: { train: t }\nmethod: lora\n";
  const wrong = [
    "model: m",
    `${head}quux: 1`,
    `${head}train: { learning_rate: 0 }`,
    `${head}train: { learning_rate: fast! }`,
    `${head}train: { optimizer: { type: sgd, betas: [0.9, 0.999] } }`,
    `${head}eval: { every: sometimes }`,
    `${head}eval: { metrics: [los] }`,
    `${head}export: onnx`,
    head.replace("lora", "{ type: full, r: 8 }"),
    head.replace("lora", "{ type: lora, rr: 8 }"),
  ];
  for (const text of wrong)
    it(`refuses ${JSON.stringify(text.replace(head, ""))}`, () => {
      assert.ok(!accepts(schema, parse(text)));
    });

  it("documents every field", () => {
    const undocumented: string[] = [];
    const walk = (rule: unknown, path: string): void => {
      for (const [key, inner] of entriesOf(field(rule, "properties"))) {
        const says = field(inner, "description") ?? field(inner, "$ref") ?? field(inner, "const");
        if (says === undefined) undocumented.push(`${path}.${key}`);
        walk(inner, `${path}.${key}`);
      }
      for (const option of listOf(field(rule, "anyOf"))) walk(option, path);
      if (field(rule, "items") !== undefined) walk(field(rule, "items"), `${path}[]`);
    };
    walk(schema, "");
    for (const [name, rule] of entriesOf(field(schema, "definitions"))) {
      assert.notEqual(field(rule, "description"), undefined, name);
      walk(rule, name);
    }
    assert.deepEqual(undocumented, []);
  });
});
