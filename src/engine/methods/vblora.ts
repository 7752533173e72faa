/**
 * @file VB-LoRA: the factors of all pairs are pieced together from one bank of vectors, of which each piece mixes a few.
 *
 * Li, Han, Ji, "VB-LoRA: Extreme Parameter Efficient Fine-Tuning with Vector Banks", 2024,
 * https://arxiv.org/abs/2405.15179; shapes, starts and the missing scale as in peft.
 *
 *   piece = softmax(the topk largest of its logits) · their vectors of the bank;   W' = W + B A
 *
 *   bank [vectors, length]                trained, shared by all sites, U(±init_vector_bank_bound)
 *   logitsA [r, in / length, vectors]     trained, N(0, init_logits_std²): pieces of the rows of A
 *   logitsB [out / length, r, vectors]    trained, the same: pieces of the columns of B
 *
 * Which vectors a piece mixes is chosen anew at each step; equal logits at the edge all count. The last piece of a width
 * that the length does not divide is cut, where peft refuses such a width: it leaves as plain LoRA. The paper gives the
 * bank a tenth of the logits' learning rate, here and in peft's default one serves both.
 * An adapter of chosen vectors alone says nothing of the other logits, which load far below them: peft refuses to train
 * on from it, here the same vectors stay chosen.
 */
import type { Shape } from "../../shared/dtypes.ts";
import { at } from "../../shared/errors.ts";
import { bool, int, number } from "../../shared/schema.ts";
import type { Graph, Value } from "../core/graph.ts";
import {
  less,
  matmul,
  reduceMax,
  reshape,
  scalar,
  slice,
  softmax,
  transpose,
  where,
} from "../core/ops.ts";
import { defineLinearMethod } from "./define.ts";
import type { Packing } from "./packing.ts";

export const vblora = defineLinearMethod({
  name: "vblora",
  title: "VB-LoRA",
  doc: "Trains one bank of vectors for the whole model, and at each layer which of them make up its pair: few numbers to keep.",
  equation: "each piece of A and B = softmax of its topk logits · vectors of one shared bank",
  use: "Choose it where what is stored must be smallest, over many layers at once.",
  paperTitle: "VB-LoRA: Extreme Parameter Efficient Fine-Tuning with Vector Banks",
  paper: "https://arxiv.org/abs/2405.15179",
  axes: {
    P: "pair of mixed vectors",
    X: "one bank of vectors for all sites",
    E: "adapter of peft",
  },
  config: {
    r: int({ default: 4, min: 1, doc: "Rank of the update B A.", aliases: ["rank"] }),
    num_vectors: int({ default: 256, min: 1, doc: "Vectors in the bank." }),
    vector_length: int({
      default: 256,
      min: 1,
      doc: "Length of each vector; widths should be multiples of it.",
    }),
    topk: int({ default: 2, min: 1, doc: "Vectors that each piece of a factor mixes." }),
    init_vector_bank_bound: number({
      default: 0.02,
      above: 0,
      doc: "Largest size of a number in the bank at the start.",
    }),
    save_only_topk_weights: bool({
      default: false,
      doc: "Whether an adapter holds of each piece the chosen vectors and their shares alone: much smaller, and no start for more training.",
    }),
    init_logits_std: number({
      default: 0.1,
      above: 0,
      doc: "Deviation of the logits at the start.",
    }),
  },
  changesAtStart:
    "both factors are mixtures of one bank, which at zero would pass no gradient on to the logits",
  peft: {
    type: "VBLORA",
    tensors: { logitsA: "vblora_logits_A", logitsB: "vblora_logits_B" },
    shared: { bank: "vblora_vector_bank" },
    holds: ({ vector_length: length }, { in: n, out: m }) =>
      typeof length === "number" && n % length === 0 && m % length === 0,
    fields: (config, { fanInFanOut }) => ({
      ...config,
      ...{ vblora_dropout: 0, bias: "none", fan_in_fan_out: fanInFanOut },
    }),
    read({ r, num_vectors, vector_length, topk, ...json }) {
      const { init_vector_bank_bound, init_logits_std, save_only_topk_weights } = json;
      return {
        config: {
          ...{ r, num_vectors, vector_length, topk },
          ...{ init_vector_bank_bound, init_logits_std, save_only_topk_weights },
        },
      };
    },
    packing: (_param, shape, { topk, num_vectors, save_only_topk_weights: few }) =>
      few === true && typeof topk === "number" && typeof num_vectors === "number"
        ? chosenAlone(shape, num_vectors, Math.min(topk, num_vectors))
        : undefined,
  },
  params({ in: n, out: m }, { r, num_vectors: vectors, vector_length: length, ...starts }) {
    const logits = { normal: starts.init_logits_std };
    return {
      bank: {
        shape: [vectors, length],
        init: { uniform: starts.init_vector_bank_bound },
        key: "bank",
      },
      logitsA: { shape: [r, Math.ceil(n / length), vectors], init: logits },
      logitsB: { shape: [Math.ceil(m / length), r, vectors], init: logits },
    };
  },
  pair(g, { bank, logitsA, logitsB }, { r, topk }, { in: n, out: m }) {
    const [A, B] = [mixed(g, bank, logitsA, topk), mixed(g, bank, logitsB, topk)];
    const [pieces, length] = [at(B.shape, 0), at(B.shape, 2)];
    const columns = reshape(g, transpose(g, B, [0, 2, 1]), [pieces * length, r]);
    return {
      A: slice(g, reshape(g, A, [r, at(A.shape, 1) * length]), 1, 0, n),
      B: slice(g, columns, 0, 0, m),
      scale: 1,
    };
  },
});

/** What no share stands for: so far below the others that its own is 0. */
const unchosen = -1e4;

/** peft's form of logits [a, b, vectors]: the places of the largest, and the shares of all of them but the last. */
function chosenAlone(shape: Shape, vectors: number, topk: number): Packing {
  const [a = 0, b = 0] = shape;
  const dtype = vectors < 2 ** 8 ? "uint8" : vectors < 2 ** 15 ? "int16" : "int32";
  return {
    parts: [
      { suffix: "_topk_indices", dtype, shape: [a, b, topk] },
      { suffix: "_topk_weights", dtype: "float32", shape: [a, b, topk - 1] },
    ],
    pack(logits) {
      const [places, shares]: [number[], number[]] = [[], []];
      for (let row = 0; row < a * b; row++) {
        const own = logits.subarray(row * vectors, (row + 1) * vectors);
        const order = Array.from(own.keys()).sort((i, j) => at(own, j) - at(own, i));
        const chosen = order.slice(0, topk);
        const most = at(own, at(chosen, 0));
        const sizes = chosen.map((place) => Math.exp(at(own, place) - most));
        const sum = sizes.reduce((total, size) => total + size, 0);
        places.push(...chosen);
        shares.push(...sizes.slice(0, -1).map((size) => size / sum));
      }
      return [places, shares];
    },
    unpack([places = [], shares = []]) {
      const logits = new Float32Array(a * b * vectors).fill(unchosen);
      for (let row = 0; row < a * b; row++) {
        let rest = 1;
        for (let k = 0; k < topk; k++) {
          const share = k + 1 < topk ? at(shares, row * (topk - 1) + k) : rest;
          rest -= share;
          // A share that rounding has taken below nothing is next to nothing.
          logits[row * vectors + at(places, row * topk + k)] = Math.log(Math.max(share, 1e-30));
        }
      }
      return logits;
    },
  };
}

/** [a, b, length] of logits [a, b, vectors]. */
function mixed(g: Graph, bank: Value, logits: Value, topk: number): Value {
  const [a, b, vectors] = [at(logits.shape, 0), at(logits.shape, 1), at(logits.shape, 2)];
  const rows = reshape(g, logits, [a * b, vectors]);
  const shares = softmax(g, largest(g, rows, Math.min(topk, vectors)));
  return reshape(g, matmul(g, shares, bank), [a, b, at(bank.shape, 1)]);
}

/** Far below every logit: its share is 0. */
const nothing = -1e30;

/** The `count` largest of each row, and next to nothing in place of the others. */
function largest(g: Graph, rows: Value, count: number): Value {
  let rest = rows;
  let least = reduceMax(g, rest, [1]);
  for (let taken = 1; taken < count; taken++) {
    rest = where(g, less(g, rest, least), rest, scalar(g, nothing));
    least = reduceMax(g, rest, [1]);
  }
  return where(g, less(g, rows, least), scalar(g, nothing), rows);
}
