/**
 * @file Natural GaLore: GaLore whose projected gradient goes through the inverse of the Fisher information of the last ones.
 *
 * Das, "Natural GaLore: Accelerating GaLore for memory-efficient LLM Training and Fine-tuning", 2024,
 * https://arxiv.org/abs/2410.16029.
 *
 *   R, back as in GaLore;  h the numbers of R;  H [history, k] the last h as rows, the present one among them
 *   ĥ = (damping I + Hᵀ H)⁻¹ h, and Adam of GaLore on ĥ in place of h
 *
 * With h a row of H this is Hᵀ (damping I + H Hᵀ)⁻¹ e, e having 1 in the place of h: Woodbury's identity without its
 * difference of two large terms. Hᵀ H is a sum, no mean, and rows stay as they are when P is found anew, both as in the
 * official code, which projects by Tucker's decomposition where this takes GaLore's. Other than there damping is at
 * least 1e-5 of the trace of Hᵀ H, since float32 cannot tell more. Without noise, small damping turns the steps towards
 * what changes between gradients: on some convex functions they end far from the optimum, by the official formulas too.
 *
 *   P, m, v as in GaLore; H [history, k] and K = H Hᵀ [history, history], zeros
 */
import { elementCount } from "../../shared/dtypes.ts";
import { at } from "../../shared/errors.ts";
import { int, number } from "../../shared/schema.ts";
import type { Graph, Value } from "../core/graph.ts";
import { identity, inverse } from "../core/inverse.ts";
import {
  add,
  constant,
  equal,
  matmul,
  matrixTranspose,
  maximum,
  mul,
  reduceSum,
  reshape,
  scalar,
  scale,
  where,
} from "../core/ops.ts";
import { defineUpdateRule, read } from "./define.ts";
import {
  projectedFields,
  projectedMatrix,
  projectedNumbers,
  projectedRule,
  projectedState,
  projectedStep,
} from "./projected.ts";

export const naturalGalore = defineUpdateRule({
  name: "natural_galore",
  title: "Natural GaLore",
  doc: "GaLore that also divides by what the last gradients have in common: the natural gradient, in the projected space.",
  equation: "GaLore on F⁻¹ Pᵀ g, F = λ I + the last projected gradients times their transposes",
  use: "Choose it where GaLore learns too slowly and a few more projected gradients fit.",
  paperTitle:
    "Natural GaLore: Accelerating GaLore for memory-efficient LLM Training and Fine-tuning",
  paper: "https://arxiv.org/abs/2410.16029",
  config: {
    ...projectedFields,
    history: int({
      default: 20,
      min: 1,
      max: 1024,
      doc: "Projected gradients that are kept and make up the Fisher information.",
      aliases: ["natural_history"],
    }),
    damping: number({
      default: 1e-3,
      above: 0,
      doc: "Added to the Fisher information: the larger against squared gradients, the nearer to GaLore; too little stalls.",
      aliases: ["lambda_damping"],
    }),
  },
  axes: { U: "Adam on a projected natural gradient" },
  evidence: "reference",
  stopsShort:
    "what of a gradient the last ones lack is divided by little more than the damping, and Adam sees little else",
  ...projectedRule,
  numbers: (config, step) => ({
    ...projectedNumbers(config, step),
    place: (step.t - 1) % config.history,
  }),
  matrix: {
    ...projectedMatrix,
    state(tensor, config) {
      const own = projectedState(tensor, config);
      return {
        ...own,
        H: [config.history, elementCount(own.m)],
        K: [config.history, config.history],
      };
    },
    step: (g, inputs, config, tensor) =>
      projectedStep(g, inputs, config, tensor, {
        through(low) {
          const now = placeOf(g, read(inputs.numbers, "place"), config.history);
          const h = reshape(g, low, [1, elementCount(low.shape)]);
          const H = where(g, now, h, read(inputs.state, "H"));
          const products = matmul(g, h, H, { transB: true });
          const K = withProducts(g, read(inputs.state, "K"), products, now);
          const natural = naturalGradient(g, H, K, now, config.damping);
          return { gradient: reshape(g, natural, low.shape), state: { H, K } };
        },
      }),
  },
});

/** Whether a row [history, 1] is the present one's. */
function placeOf(g: Graph, place: Value, history: number): Value {
  const all = Float32Array.from({ length: history }, (_, row) => row);
  return equal(g, constant(g, "float32", [history, 1], all), place);
}

/** H Hᵀ with the products [1, s] of the row that is new: a whole product would cost s times as much. */
function withProducts(g: Graph, K: Value, products: Value, now: Value): Value {
  const isColumn = reshape(g, now, [1, at(K.shape, 0)]);
  return where(g, now, products, where(g, isColumn, matrixTranspose(g, products), K));
}

/** Largest condition of what is inverted: float32 tells no more apart than noise beyond it. */
const condition = 1e5;
/** Doublings of digits that an inverse of this condition needs. */
const steps = 22;

/** (damping I + Hᵀ H)⁻¹ h as [1, k], h being the row of H [s, k] where `now` [s, 1] holds, and K = H Hᵀ. */
export function naturalGradient(g: Graph, H: Value, K: Value, now: Value, damping: number): Value {
  const s = at(K.shape, 0);
  const I = identity(g, s);
  const trace = reduceSum(g, mul(g, K, I), [0, 1]);
  const least = maximum(g, scale(g, trace, 1 / condition), scalar(g, damping));
  const inverted = inverse(g, add(g, K, mul(g, I, least)), steps);
  const e = where(g, reshape(g, now, [1, s]), scalar(g, 1), scalar(g, 0));
  return matmul(g, matmul(g, e, inverted), H);
}
