/** @file FP4's bytes against those of bitsandbytes (`make_fp4.py` beside this file). */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fp4 } from "../../../src/engine/quantizers/fp4.ts";
import { arrayOf, bytesOf } from "../../../src/engine/quantizers/packed.ts";
import { packedBy } from "../../conformance/engine/quantizer-case.ts";
import { filled } from "../deterministic.ts";

const file = join(import.meta.dirname, "fixtures/fp4.json");
const fixture: unknown = JSON.parse(readFileSync(file, "utf8"));
const [rows, columns] = [37, 96];
const data = filled({ name: "fp4.weight", shape: [rows, columns], scale: 0.25, offset: 0 });
const matrix = { module: "layers.0.q_proj", kind: "q_proj", rows, columns, data };

describe("FP4 is that of bitsandbytes", () => {
  for (const wanted of cases())
    it(`in blocks of ${wanted.block}`, async () => {
      const fields = { block_size: wanted.block, double_quant: false };
      const packed = await packedBy(fp4, matrix, fields);
      // Code 8 is a zero with a sign, which no code here stands for.
      const plain = (bytes: Uint8Array) =>
        bytes.map((pair) => (pair >> 4 === 8 ? pair & 15 : pair)).map((pair) => ((pair & 15) === 8 ? pair & 240 : pair)); // prettier-ignore
      assert.deepEqual(plain(bytesOf(packed, "codes")), plain(wanted.codes));
      assert.deepEqual(arrayOf(packed, "absmax").data, new Float32Array(wanted.absmax.buffer));
    });
});

function cases() {
  assert.ok(typeof fixture === "object" && fixture !== null && "cases" in fixture);
  const found: unknown = fixture.cases;
  assert.ok(Array.isArray(found) && found.length === 3);
  return found.map((one: unknown) => {
    assert.ok(typeof one === "object" && one !== null && "block" in one);
    const { block } = one;
    assert.ok(typeof block === "number");
    const of = (name: string): Uint8Array<ArrayBuffer> => {
      const text: unknown = Object.entries(one).find(([key]) => key === name)?.[1];
      assert.ok(typeof text === "string");
      return Uint8Array.from(Buffer.from(text, "hex"));
    };
    return { block, codes: of("codes"), absmax: of("absmax") };
  });
}
