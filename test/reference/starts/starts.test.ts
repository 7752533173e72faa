/** @file EVA, CorDA and LoRA-GA start two small layers as peft does (`starts/make.py`). */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { createLinalg } from "../../../kernels/linalg/index.ts";
import { corda } from "../../../src/engine/initialisers/corda.ts";
import { eva } from "../../../src/engine/initialisers/eva.ts";
import { loraGa } from "../../../src/engine/initialisers/lora-ga.ts";
import type { Initialiser } from "../../../src/engine/initialisers/define.ts";
import type {
  InputStatistics,
  StartContext,
  StartSite,
} from "../../../src/engine/methods/start.ts";
import { secondMoment } from "../../../src/engine/network/calibration-inputs.ts";
import { createProgramCache } from "../../../src/engine/network/program-cache.ts";
import { kernelBytes } from "../../../src/engine/runtime/kernels.ts";
import { at, invariant } from "../../../src/shared/errors.ts";
import { parseFields } from "../../../src/shared/experiment/parse-fields.ts";
import { isRecord } from "../../../src/shared/wire.ts";
import { createHostReference } from "../../support/host-reference.ts";

const text = readFileSync(new URL("fixtures/starts.json", import.meta.url), "utf8");
const fixture = record(JSON.parse(text));
const linalg = createLinalg(kernelBytes("linalg"));
const backend = createHostReference();
const sizes = record(fixture["sizes"]);
const [samples, tokens, rank] = ["samples", "tokens", "rank"].map((name) => count(sizes, name));
const scale = count(sizes, "alpha") / count(sizes, "rank");
const names = ["first", "second"];

describe("the start corda", () => {
  for (const mode of ["ipm", "kpm"])
    for (const name of names)
      it(`is peft's, ${mode} of ${name}`, async () => {
        const expected = record(record(record(fixture["corda"])[mode])[name]);
        const started = await start(corda, { mode }, name, { peak: true });
        samePair(started, expected, name, 2e-3);
      });
});

describe("the start lora_ga", () => {
  for (const entry of list(fixture["loraGa"]).map(record)) {
    const { direction, scale: how } = entry;
    for (const name of names)
      it(`is peft's, ${String(direction)} ${String(how)} of ${name}`, async () => {
        const expected = record(record(entry["pairs"])[name]);
        const fields = { variant: "peft", direction, scale: how };
        // peft finds W's singular values by few steps in a subspace without a margin.
        const tolerance = how === "weight_svd" ? 5e-3 : 1e-3;
        samePair(await start(loraGa, fields, name, { peak: false }), expected, name, tolerance);
      });
  }
});

describe("the start eva", () => {
  for (const entry of list(fixture["eva"]).map(record)) {
    const { rho, whiten } = entry;
    it(`is peft's, rho ${String(rho)}${whiten === true ? ", whitened" : ""}`, async () => {
      const row = bound(eva, { rho, whiten });
      const sites = await Promise.all(
        names.map(async (name) => ({ site: siteOf(name), ctx: await context(name, false) })),
      );
      const allocated = await row.allocate?.(sites);
      for (const name of names) {
        const expected = record(record(entry["sites"])[name]);
        const own = allocated?.get(name);
        invariant(own, `${name} got nothing`);
        assert.equal(own.size, expected["rank"]);
        // peft has seen the same batch twice when it stops, which makes its σ √2 as large.
        const factor = whiten === true ? 2 ** -0.25 : 1;
        const A = floats(expected, "A");
        const width = siteOf(name).in;
        for (let k = 0; k < own.size; k++) {
          const ours = [...own.kept.subarray(k * width, (k + 1) * width)].map((x) => x * factor);
          const theirs = [...A.subarray(k * width, (k + 1) * width)];
          const sign = Math.sign(dot(ours, theirs));
          near(
            ours.map((value) => value * sign),
            theirs,
            1e-3,
          );
        }
      }
    });
  }
});

async function start(
  row: Initialiser,
  fields: Readonly<Record<string, unknown>>,
  name: string,
  { peak }: { readonly peak: boolean },
) {
  return bound(row, fields).run(siteOf(name), await context(name, peak));
}

function bound(row: Initialiser, fields: Readonly<Record<string, unknown>>) {
  const { value, findings } = parseFields(row.config, fields);
  assert.deepEqual(findings, []);
  return row.bind(value);
}

function siteOf(name: string): StartSite {
  const site = record(record(fixture["sites"])[name]);
  return { module: name, in: count(site, "in"), out: count(site, "out") };
}

async function context(name: string, peak: boolean): Promise<StartContext> {
  const site = record(record(fixture["sites"])[name]);
  const statistics = await inputs(floats(site, "x"), count(site, "in"), peak);
  const unused = (): never => assert.fail("not read");
  return {
    linalg,
    rank: rank ?? 0,
    scale,
    run: { steps: 10, warmupSteps: 1, learningRate: 1e-3 },
    weight: () => Promise.resolve(floats(site, "W")),
    inputs: () => Promise.resolve(statistics),
    gradient: () => Promise.resolve(floats(record(fixture["gradients"]), name)),
    fisher: unused,
    kept: undefined,
    random: unused,
    value: unused,
  };
}

/** Statistics of x [samples · tokens, width], a batch for each sample, by the engine's own programs. */
async function inputs(x: Float32Array, width: number, peak: boolean): Promise<InputStatistics> {
  const reducer = secondMoment({ cache: createProgramCache(backend) }, width, { peak });
  const rows = tokens ?? 0;
  for (let index = 0; index < (samples ?? 0); index++) {
    const own = x.slice(index * rows * width, (index + 1) * rows * width);
    await reducer.add({
      backend,
      modules: [],
      width,
      tensor: backend.upload("float32", [rows, width], own),
      counted: new Uint8Array(rows).fill(1),
      index,
      floats: () => Promise.resolve(own),
    });
  }
  return reducer.result();
}

/** Pairs up to the common sign of a row of A and a column of B; B A, and with it the base, exactly. */
function samePair(
  {
    A,
    B,
    subtract,
  }: { readonly A: Float32Array; readonly B: Float32Array; readonly subtract: boolean },
  expected: Readonly<Record<string, unknown>>,
  name: string,
  tolerance: number,
): void {
  const site = siteOf(name);
  const r = rank ?? 0;
  assert(subtract);
  assert.equal(expected["scale"], scale);
  near(magnitudes(A), magnitudes(floats(expected, "A")), tolerance);
  near(magnitudes(B), magnitudes(floats(expected, "B")), tolerance);
  const W = floats(record(record(fixture["sites"])[name]), "W");
  // Where A and B get other directions, signs of vectors are free in each: the product of one with itself is not.
  const gram = (a: Float32Array, size: number, of: (k: number, i: number) => number): number[] =>
    Array.from({ length: size * size }, (_, place) => {
      let sum = 0;
      for (let k = 0; k < r; k++)
        sum += at(a, of(k, Math.floor(place / size))) * at(a, of(k, place % size));
      return sum;
    });
  const ofA = (k: number, i: number): number => k * site.in + i;
  const ofB = (k: number, i: number): number => i * r + k;
  near(gram(A, site.in, ofA), gram(floats(expected, "A"), site.in, ofA), tolerance);
  near(gram(B, site.out, ofB), gram(floats(expected, "B"), site.out, ofB), tolerance);
  const base = floats(expected, "base");
  const theirs = floats(expected, "A");
  const rest = (k: number): number =>
    dot(
      [...A.subarray(k * site.in, (k + 1) * site.in)],
      [...theirs.subarray(k * site.in, (k + 1) * site.in)],
    );
  const signs = Array.from({ length: r }, (_, k) => Math.sign(rest(k)));
  const turned = Array.from({ length: r }, (_, k) => {
    let sum = 0;
    for (let i = 0; i < site.out; i++)
      sum += at(B, ofB(k, i)) * at(floats(expected, "B"), ofB(k, i));
    return Math.sign(sum);
  });
  const made = Array.from(W, (value, place) => {
    let sum = 0;
    for (let k = 0; k < r; k++)
      sum +=
        at(signs, k) *
        at(turned, k) *
        at(B, ofB(k, Math.floor(place / site.in))) *
        at(A, ofA(k, place % site.in));
    return value - scale * sum;
  });
  near(made, [...base], tolerance);
}

function magnitudes(values: Float32Array): readonly number[] {
  return Array.from(values, Math.abs);
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, place) => sum + value * at(b, place), 0);
}

/** Within a share of the largest element. */
function near(made: readonly number[], expected: readonly number[], tolerance: number): void {
  assert.equal(made.length, expected.length);
  const largest = Math.max(...expected.map(Math.abs));
  expected.forEach((value, place) => {
    const error = Math.abs(at(made, place) - value);
    assert(error <= tolerance * largest, `${at(made, place)} is not ${value} at ${place}`);
  });
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  invariant(isRecord(value), "the fixture has another form");
  return value;
}

function list(value: unknown): readonly unknown[] {
  invariant(Array.isArray(value), "the fixture has another form");
  return value;
}

function count(from: Readonly<Record<string, unknown>>, name: string): number {
  const value = from[name];
  invariant(typeof value === "number", `the fixture lacks ${name}`);
  return value;
}

function floats(from: Readonly<Record<string, unknown>>, name: string): Float32Array {
  return Float32Array.from(list(from[name]).map(Number));
}
