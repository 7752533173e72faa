/** @file Verdicts against the official procedure on trained adapters: `SPECTUNE_TRAINED` names the base's folder and those of adapters, with `:` between. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { intruderDefaults } from "../../../../src/engine/analyze/finding.ts";
import { intruders } from "../../../../src/engine/analyze/intruders.ts";
import { inFloat64 } from "../../../../src/engine/analyze/products.ts";
import { tunedMatrix } from "../../../../src/engine/lab/merged-matrix.ts";
import { openSet } from "../../../../src/engine/lab/open-sides.ts";
import { createFullMatch } from "../../../../src/engine/session/python-regex.ts";
import { at } from "../../../../src/shared/errors.ts";
import { makeLinalg } from "../../kernels/linalg/matrices.ts";
import { official } from "./families.ts";

const [base, ...adapters] = (process.env["SPECTUNE_TRAINED"] ?? "").split(":");

describe("verdicts on trained adapters", { skip: adapters.length === 0 }, () => {
  for (const folder of adapters)
    it(`equal the official procedure: ${folder}`, async (t) => {
      const linalg = await makeLinalg();
      const choice = {
        base: base ?? "",
        places: { base: "/", env: {}, home: "/" },
        matrices: undefined,
        splitsFused: false,
        held: undefined,
        question: "dequantized-tuned",
      } as const;
      const tools = { fullMatch: createFullMatch(1000), linalg };
      const set = await openSet(choice, { kind: "adapter", folder }, tools);
      t.after(() => set.close());
      const seen = new Map<string, number>();
      for (const matrix of set.matrices) {
        const pair = await matrix.prepare();
        const { base: W0, update } = await pair.load();
        assert.ok(update);
        const numbers = await official(linalg, inFloat64(W0), tunedMatrix(W0, update), 10);
        const options = { ...intruderDefaults, exactBelow: 0 };
        const record = await intruders({ tools: { linalg }, now: () => 0 }, pair, options);
        for (const [j, { by, proof, intruder, lower, upper }] of record.vectors.entries()) {
          const number = at(numbers, j);
          const where = `${pair.name}, vector ${j}: official ${number}, ${by} [${lower}, ${upper}]`;
          seen.set(proof.kind, (seen.get(proof.kind) ?? 0) + 1);
          if (by === "basis-dependent" || Math.abs(number - options.epsilon) < 1e-3) continue;
          assert.equal(intruder, number < options.epsilon, where);
          assert.ok(lower <= number + 1e-3 && number <= upper + 1e-3, where);
        }
      }
      t.diagnostic(JSON.stringify(Object.fromEntries(seen)));
    });
});
