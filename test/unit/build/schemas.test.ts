/** @file The published JSON schemas: in step with the declarations, and true to what peft writes. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { adapterConfigSchema, experimentSchema } from "../../../src/build/docs/schemas.ts";
import { isRecord } from "../../../src/shared/wire.ts";

const root = join(import.meta.dirname, "../../..");

function read(file: string): unknown {
  return JSON.parse(readFileSync(join(root, file), "utf8"));
}

/** Whether a value has one of the types that a schema names; as much of draft-07 as the schema uses. */
function fits(schema: unknown, value: unknown): boolean {
  if (!isRecord(schema)) return false;
  const { type, enum: words, anyOf } = schema;
  if (Array.isArray(anyOf)) return anyOf.some((one: unknown) => fits(one, value));
  if (Array.isArray(words)) return words.includes(value);
  const types: readonly unknown[] = Array.isArray(type) ? type : [type];
  const kind =
    value === null
      ? "null"
      : Array.isArray(value)
        ? "array"
        : typeof value === "number" && Number.isInteger(value)
          ? "integer"
          : typeof value;
  return types.includes(kind) || (kind === "integer" && types.includes("number"));
}

describe("published schemas", () => {
  it("are in step with the declarations", () => {
    const files = { experiment: experimentSchema, "adapter-config": adapterConfigSchema };
    for (const [name, text] of Object.entries(files))
      assert.equal(
        readFileSync(join(root, `media/schemas/${name}.schema.json`), "utf8"),
        text(),
        "`npm run docs` writes them",
      );
  });

  it("know every field that peft writes, with its type", () => {
    const schema = read("media/schemas/adapter-config.schema.json");
    const config = read("test/golden/server/convert/adapter_config.json");
    assert.ok(isRecord(schema) && isRecord(schema["properties"]) && isRecord(config));
    for (const [field, value] of Object.entries(config))
      assert.ok(fits(schema["properties"][field], value), `${field}: ${JSON.stringify(value)}`);
    assert.ok(!fits(schema["properties"]["r"], "8"));
  });
});
