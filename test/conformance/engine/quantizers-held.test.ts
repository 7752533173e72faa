/** @file What every quantizer packs, as networks hold it: forward and backward products are those of the expanded matrix. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { quantizers } from "../../../src/engine/catalog.ts";
import type { MatrixShape } from "../../../src/engine/quantizers/context.ts";
import type { Quantizer } from "../../../src/engine/quantizers/define.ts";
import type { PackedMatrix } from "../../../src/engine/quantizers/packed.ts";
import { expanded } from "../../../src/engine/quantizers/packed.ts";
import { packedFormats } from "../../../src/engine/quantizers/formats/table.ts";
import type { HostData } from "../../../src/engine/runtime/backend.ts";
import { createOrtBackend } from "../../../src/engine/runtime/ort.ts";
import { relativeError, runOnce } from "../../unit/engine/runtime/parity.ts";
import { heldCase, tokens } from "./held-case.ts";
import { packedBy, smallFields, weights } from "./quantizer-case.ts";

const backend = await createOrtBackend({ device: "cpu", threads: 1 });

const shapes: readonly MatrixShape[] = [
  { rows: 16, columns: 64 },
  { rows: 24, columns: 128 },
  { rows: 7, columns: 33 },
  { rows: 1, columns: 5 },
];

/** Fields that hold a matrix in another way than the defaults do. */
const others: Readonly<Record<string, readonly Readonly<Record<string, unknown>>[]>> = {
  nf4: [{ double_quant: false }, { block_size: 32 }],
  rtn: [{ bits: 8 }, { bits: 8, symmetric: true }, { symmetric: true }, { bits: 3 }, { group: -1 }, { group: 0 }], // prettier-ignore
  gptq: [{ act_order: true }, { act_order: true, static_groups: true }, { bits: 2 }],
};

for (const quantizer of quantizers)
  describe(quantizer.name, () => {
    for (const fields of [{}, ...(others[quantizer.name] ?? [])])
      it(`multiplies as its expanded matrix, there and back ${JSON.stringify(fields)}`, async () => {
        for (const shape of shapes) {
          const packed = await packedBy(quantizer, weights(shape), {
            ...smallFields(quantizer),
            ...fields,
          });
          await check(quantizer, packed);
        }
      });
  });

async function check({ formats }: Quantizer, packed: PackedMatrix): Promise<void> {
  const { rows, columns } = packed;
  const W = expanded(packed, formats);
  // Whoever opens a folder knows the format by its name alone.
  assert.deepEqual(expanded(packed, packedFormats), W);
  const { graph, data, decoded } = heldCase(packed);
  assert.deepEqual(new Float32Array(decoded), W);
  const made = await runOnce(backend, graph, data);
  const [x, dy] = [data.get("x"), data.get("dy")];
  assert.ok(x instanceof Float32Array && dy instanceof Float32Array);
  const forward = new Float64Array(tokens * rows);
  const back = new Float64Array(tokens * columns);
  for (let t = 0; t < tokens; t++)
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < columns; j++) {
        const w = W[i * columns + j] ?? NaN;
        add(forward, t * rows + i, (x[t * columns + j] ?? NaN) * w);
        add(back, t * columns + j, (dy[t * rows + i] ?? NaN) * w);
      }
  const where = `${rows} × ${columns}`;
  near(made.get("y"), forward, `${where} forward`);
  near(made.get("dx"), back, `${where} backward`);
}

function add(into: Float64Array, at: number, value: number): void {
  into[at] = (into[at] ?? NaN) + value;
}

function near(made: HostData | undefined, expected: Float64Array, what: string): void {
  assert.ok(made);
  const error = relativeError(made, expected);
  assert.ok(error < 2e-6, `${what} is off by ${error}`);
}
