/** @file The declarations infer the types they say. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Duration, Infer } from "../../../src/shared/schema.ts";
import {
  bool,
  choice,
  duration,
  int,
  list,
  number,
  object,
  oneOf,
  record,
  share,
  text,
  union,
} from "../../../src/shared/schema.ts";

const fields = {
  rank: int({ default: 8, min: 1, key: "r", doc: "Rank." }),
  alpha: number({ default: 16, min: 0, doc: "Scale." }),
  steps: int({ default: null, doc: "Steps, if any." }),
  name: text({ doc: "Required." }),
  mode: oneOf(["min", "max"], { default: "min", doc: "Mode." }),
  fast: bool({ default: false, doc: "Fast." }),
  every: duration({ default: { unit: "end" }, doc: "When." }),
  betas: list(number({ doc: "A beta." }), { default: [0.9, 0.999], doc: "Betas." }),
  pattern: record(int({ doc: "A rank." }), { default: {}, doc: "Ranks." }),
  micro: union([int({ doc: "n" }), oneOf(["auto"], { doc: "auto" })], {
    default: "auto",
    doc: "Micro batch.",
  }),
  inner: object({ part: share({ default: 0.1, doc: "Part." }) }, { doc: "Inner." }),
  outer: object({ id: text({ doc: "Id." }) }, { default: null, short: "id", doc: "Outer." }),
};

interface Expected {
  readonly rank: number;
  readonly alpha: number;
  readonly steps: number | null;
  readonly name: string;
  readonly mode: "min" | "max";
  readonly fast: boolean;
  readonly every: Duration;
  readonly betas: readonly number[];
  readonly pattern: Readonly<Record<string, number>>;
  readonly micro: number | "auto";
  readonly inner: { readonly part: number };
  readonly outer: { readonly id: string } | null;
}

type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;

test("Infer gives the type of each declaration", () => {
  // The compiler is the test: a wrong inference makes an entry `false`, and the line an error.
  const same: { readonly [K in keyof Expected]: Same<Infer<typeof fields>[K], Expected[K]> } = {
    rank: true,
    alpha: true,
    steps: true,
    name: true,
    mode: true,
    fast: true,
    every: true,
    betas: true,
    pattern: true,
    micro: true,
    inner: true,
    outer: true,
  };
  assert.equal(Object.keys(same).length, Object.keys(fields).length);
});

test("presence follows from the default", () => {
  assert.equal(fields.name.presence, "required");
  assert.equal(fields.steps.presence, "default");
  assert.equal(fields.inner.presence, "filled");
  assert.equal(fields.outer.presence, "default");
});

test("a variant cannot declare what is common to all", () => {
  const rank = { rank: int({ default: 8, key: "r", doc: "Rank." }) };
  const r = int({ default: 8, doc: "Rank." });
  const variants = { lora: { doc: "LoRA.", fields: rank } };
  assert.doesNotThrow(() => choice(variants, { common: {}, doc: "Method." }));
  assert.throws(() => choice(variants, { common: { r }, doc: "Method." }), /lora declares r/);
});
