/** @file How true a merged model is to the base with its adapter: logits side by side, and how much of the update is in the weights. */
import { at, invariant } from "../../shared/errors.ts";
import type { CalibrationBatch } from "../network/calibration.ts";
import type { NetworkContext } from "../network/context.ts";
import { logitsOf } from "../network/inference.ts";
import type { WeightSource } from "../weights/weight-source.ts";
import { halfToFloat32 } from "../weights/dtype-conversion.ts";
import { withTargets } from "./perplexity.ts";

export interface LogitFidelity {
  /** Tokens whose next one was told. */
  readonly tokens: number;
  /** Mean of KL(base with adapter ‖ merged) in nats. */
  readonly divergence: number;
  /** Share of tokens whose likeliest next one is the same. */
  readonly agreement: number;
}

export interface UpdateFidelity {
  readonly matrices: readonly { readonly name: string; readonly survives: number }[];
  /** Σ ⟨merged − base, ΔW⟩ over Σ ‖ΔW‖²: 1 where all of the update is in the merged weights. */
  readonly survives: number;
}

export async function logitFidelity(
  apart: NetworkContext,
  merged: NetworkContext,
  text: readonly CalibrationBatch[],
): Promise<LogitFidelity> {
  let [tokens, divergence, agreed] = [0, 0, 0];
  for (const sequences of text) {
    const batch = withTargets(sequences);
    const p = await logitsOf(apart, batch);
    const q = await logitsOf(merged, batch);
    const classes = p.length / batch.rows.length;
    for (let row = 0; row < batch.rows.length; row++) {
      const [a, b] = [p, q].map((all) =>
        logProbabilities(all.subarray(row * classes, (row + 1) * classes)),
      );
      invariant(a && b, "both models told the row");
      for (const [i, log] of a.entries()) divergence += Math.exp(log) * (log - at(b, i));
      agreed += Number(likeliest(a) === likeliest(b));
      tokens++;
    }
  }
  return { tokens, divergence: divergence / tokens, agreement: agreed / tokens };
}

/** `exact` holds base + ΔW in float32; `merged` what was written. */
export async function updateFidelity(
  base: WeightSource,
  exact: WeightSource,
  merged: WeightSource,
): Promise<UpdateFidelity> {
  const matrices: { readonly name: string; readonly survives: number }[] = [];
  let [kept, whole] = [0, 0];
  for (const { name, shape } of exact.tensors.values()) {
    if (shape.length !== 2 || !base.tensors.has(name) || !merged.tensors.has(name)) continue;
    const [before, wanted, made] = await Promise.all(
      [base, exact, merged].map((source) => floatsOf(source, name)),
    );
    invariant(before && wanted && made, "three sources were read");
    let [product, square] = [0, 0];
    for (const [i, w] of before.entries()) {
      const update = at(wanted, i) - w;
      product += (at(made, i) - w) * update;
      square += update * update;
    }
    if (square === 0) continue;
    kept += product;
    whole += square;
    matrices.push({ name, survives: product / square });
  }
  return { matrices, survives: whole === 0 ? 1 : kept / whole };
}

async function floatsOf(source: WeightSource, name: string): Promise<Float32Array> {
  const dtype = source.tensors.get(name)?.dtype;
  const bytes = await source.read(name);
  if (dtype === "float32")
    return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  invariant(dtype === "float16" || dtype === "bfloat16", `${name} holds no floats`);
  const halves = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 2);
  const values = new Float32Array(halves.length);
  halfToFloat32(dtype, halves, values);
  return values;
}

function logProbabilities(logits: Float32Array): Float64Array {
  const most = logits.reduce((a, b) => Math.max(a, b), -Infinity);
  const shifted = Float64Array.from(logits, (logit) => logit - most);
  const sum = Math.log(shifted.reduce((total, logit) => total + Math.exp(logit), 0));
  return shifted.map((logit) => logit - sum);
}

function likeliest(values: Float64Array): number {
  return values.reduce((best, value, i) => (value > at(values, best) ? i : best), 0);
}
