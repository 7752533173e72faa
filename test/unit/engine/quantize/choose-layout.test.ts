/** @file Layouts that cannot hold a model are told from its shapes, before any work. */
import assert from "node:assert/strict";
import { it } from "node:test";
import type { LinearSpec } from "../../../../src/engine/models/architecture.ts";
import type { LayoutChoice } from "../../../../src/engine/quantize/choose-layout.ts";
import { requireLayout } from "../../../../src/engine/quantize/choose-layout.ts";
import { adadim } from "../../../../src/engine/quantizers/adadim.ts";
import type { Quantizer } from "../../../../src/engine/quantizers/define.ts";
import { gptq } from "../../../../src/engine/quantizers/gptq.ts";
import { nf4 } from "../../../../src/engine/quantizers/nf4.ts";

const site: LinearSpec = { name: "a", module: "layers.0.a", in: 64, out: 32, bias: false };

function held(
  layout: LayoutChoice,
  { formats, name }: Quantizer,
  config: Readonly<Record<string, unknown>>,
  linear: LinearSpec = site,
): () => void {
  return () => {
    requireLayout(layout, { formats, type: name, config }, [linear]);
  };
}

it("bits, groups and widths that a layout does not hold are refused by name", () => {
  const fields = { bits: 4, group: 32, scales: "float16" };
  for (const layout of ["gptq", "awq"] as const) {
    const refused = (of: () => void, why: RegExp): void => {
      assert.throws(of, { code: "layout-does-not-fit", message: why });
    };
    assert.doesNotThrow(held(layout, gptq, fields));
    refused(held(layout, gptq, { ...fields, bits: 5 }), /layers\.0\.a: it holds .*not 5/u);
    refused(held(layout, gptq, { ...fields, group: 0 }), /a scale for each row at least/u);
    refused(held(layout, gptq, { ...fields, scales: "float32" }), /scales in float16/u);
    refused(held(layout, gptq, fields, { ...site, out: 33 }), /33 outputs .*no whole words/u);
    refused(held(layout, gptq, { ...fields, group: 48 }), /no whole groups of 48/u);
    refused(held(layout, nf4, {}), /uniform grids, not bnb/u);
    // Which of its formats each matrix takes, the weights decide.
    assert.doesNotThrow(held(layout, adadim, { ...fields, bits: 5 }));
  }
  for (const layout of ["auto", "spectune"] as const)
    assert.doesNotThrow(held(layout, gptq, { ...fields, bits: 5 }));
});
