/**
 * @file OFT: the inputs of a layer are turned by an orthogonal matrix of blocks.
 *
 * Qiu, Liu, Feng, Xue, Feng, Liu, Zhang, Weller, Schölkopf, "Controlling Text-to-Image Diffusion by Orthogonal
 * Finetuning", 2023, https://arxiv.org/abs/2306.07280; on the side of the inputs and with the power series as in
 * Qiu, Liu, Weller, Schölkopf, "Orthogonal Finetuning Made Scalable", 2025, https://arxiv.org/abs/2506.19847, and peft.
 *
 *   W' = W Rᵀ,   R = diag(R₁ … R_n),   R_i = (I − Q_i)(I + Q_i)⁻¹,   Q_i = −Q_iᵀ
 *   or R_i = I + 2 Q_i + 2 Q_i² + … + Q_i^(terms − 1): the first terms of (I + Q_i)(I − Q_i)⁻¹
 *
 *   Q [blocks, size (size − 1) / 2]  trained, zeros: what stands above the diagonals, row by row
 *
 * The paper turns outputs, W' = R W. The two forms of R turn in opposite senses, as they do in peft; of 3 and 4 terms the
 * sums are one there. A width that the block size does not divide takes the divisor nearest to it, where peft's may
 * even be 1, which trains nothing. COFT brings each ‖Q_i‖_F down to eps / √blocks before every use. `dropout` is of
 * what is turned; peft's own drops whole blocks. peft has it for no weights stored as GPT-2's: adapters of such models
 * are read here alone.
 */
import { at } from "../../shared/errors.ts";
import { bool, int, number } from "../../shared/schema.ts";
import type { Graph, Value } from "../core/graph.ts";
import { identity, inverse } from "../core/inverse.ts";
import {
  add,
  concat,
  constant,
  detach,
  div,
  expand,
  gather,
  matmul,
  matrixTranspose,
  minimum,
  mul,
  neg,
  reduceSum,
  reshape,
  scalar,
  scale,
  sqrt,
  sub,
  transpose,
} from "../core/ops.ts";
import type { SiteShape } from "./define.ts";
import { defineLinearMethod } from "./define.ts";

export const oft = defineLinearMethod({
  name: "oft",
  title: "OFT",
  doc: "Turns the inputs of each layer by a trained orthogonal matrix: lengths and angles of the weight's rows stay as they were.",
  equation: "W' = W Rᵀ, R = diag(R₁ … R_n) orthogonal",
  use: "Choose it where angles between a layer's neurons should stay, as in images of a subject.",
  paperTitle: "Controlling Text-to-Image Diffusion by Orthogonal Finetuning",
  paper: "https://arxiv.org/abs/2306.07280",
  axes: { P: "orthogonal blocks times the weight", E: "adapter of peft" },
  config: {
    block_size: int({
      default: 32,
      min: 2,
      doc: "Inputs that each block turns; a width that it does not divide takes the nearest divisor.",
      aliases: ["oft_block_size"],
    }),
    block_share: bool({ default: false, doc: "Whether all blocks of a layer are one." }),
    use_cayley_neumann: bool({
      default: true,
      doc: "Whether a power series stands for the inverse: cheaper, and orthogonal only while the turns are small.",
    }),
    num_cayley_neumann_terms: int({
      default: 5,
      min: 2,
      max: 64,
      doc: "Terms of the power series.",
    }),
    coft: bool({ default: false, doc: "Whether the turns are kept within `eps`." }),
    eps: number({
      default: 6e-5,
      above: 0,
      doc: "Bound of ‖Q‖ of a whole layer where `coft` is on.",
    }),
  },
  peft: {
    type: "OFT",
    tensors: { Q: "oft_R.weight" },
    fields: ({ block_size, ...own }, { fanInFanOut }) => ({
      ...{ ...own, r: 0, oft_block_size: block_size },
      ...{ module_dropout: 0, bias: "none", init_weights: true, fan_in_fan_out: fanInFanOut },
    }),
    read: ({ r = 0, oft_block_size: block_size, ...json }) => {
      const { block_share, use_cayley_neumann, num_cayley_neumann_terms, coft, eps } = json;
      return {
        config: {
          block_size,
          block_share,
          use_cayley_neumann,
          num_cayley_neumann_terms,
          coft,
          eps,
        },
        unknown: r === 0 ? undefined : "r",
      };
    },
  },
  params(site, config) {
    const { size, blocks } = blocksOf(site, config.block_size);
    return {
      Q: {
        shape: [config.block_share ? 1 : blocks, (size * (size - 1)) / 2],
        init: "zeros",
      },
    };
  },
  weight: (g, W, { Q }, config, site) =>
    turned(
      g,
      W,
      matrixTranspose(g, rotations(g, Q, blocksOf(site, config.block_size).size, config)),
    ),
  // The base is left as it is held: what comes in is turned.
  forward(g, x, base, { Q }, config, ctx) {
    const R = rotations(g, Q, blocksOf(base, config.block_size).size, config);
    if (!ctx.drops) return base.apply(g, turned(g, x, R));
    const dropped = ctx.dropout(x);
    return base.apply(g, add(g, x, sub(g, turned(g, dropped, R), dropped)));
  },
  hooks({ coft, eps }) {
    if (!coft) return undefined;
    return {
      beforeStep(sites) {
        for (const { tensor } of sites) {
          const { shape, weight } = tensor("Q");
          const [blocks, length] = [at(shape, 0), at(shape, 1)];
          for (let block = 0; block < blocks; block++)
            shorten(weight.subarray(block * length, (block + 1) * length), eps / Math.sqrt(blocks));
        }
      },
    };
  },
});

interface Form {
  readonly use_cayley_neumann: boolean;
  readonly num_cayley_neumann_terms: number;
  readonly coft: boolean;
  readonly eps: number;
}

/** R_i [blocks, size, size] of what stands above the diagonals of Q. */
function rotations(
  g: Graph,
  above: Value,
  size: number,
  { use_cayley_neumann: series, num_cayley_neumann_terms: terms, coft, eps }: Form,
): Value {
  const Q = skew(g, coft ? bounded(g, above, eps) : above, size);
  const I = identity(g, size);
  if (!series) {
    // (I − Q)(I + Q)⁻¹ = (I − Q)² N⁻¹ with N = I − Q² = I + Qᵀ Q, which is positive definite.
    const N = sub(g, I, matmul(g, Q, Q));
    const flipped = sub(g, I, Q);
    return matmul(g, matmul(g, flipped, flipped), inverse(g, N));
  }
  let power = Q;
  let sum = add(g, I, scale(g, Q, 2));
  const last = terms === 3 ? 3 : terms - 1;
  for (let exponent = 2; exponent <= last; exponent++) {
    power = matmul(g, power, Q);
    sum = add(g, sum, exponent === last ? power : scale(g, power, 2));
  }
  return sum;
}

/** [blocks, size, size] of [blocks, size (size − 1) / 2]. */
function skew(g: Graph, above: Value, size: number): Value {
  const [blocks, count] = [at(above.shape, 0), at(above.shape, 1)];
  // Rows of a table: what stands above the diagonal, the same below it, and a zero.
  const places = new Int32Array(size * size).fill(2 * count);
  let place = 0;
  for (let row = 0; row < size; row++)
    for (let column = row + 1; column < size; column++, place++) {
      places[row * size + column] = place;
      places[column * size + row] = count + place;
    }
  const values = matrixTranspose(g, above);
  const zero = expand(g, scalar(g, 0), [1, blocks]);
  const table = concat(g, [values, neg(g, values), zero], 0);
  const picked = gather(g, table, constant(g, "int32", [size * size], places));
  return reshape(g, matrixTranspose(g, picked), [blocks, size, size]);
}

/** Each block of the columns of x [rows, in] times its R_i, or times the one that all share. */
function turned(g: Graph, x: Value, R: Value): Value {
  const [rows, width] = [at(x.shape, 0), at(x.shape, 1)];
  const [count, size] = [at(R.shape, 0), at(R.shape, 1)];
  const blocks = width / size;
  if (count === 1) {
    const flat = matmul(g, reshape(g, x, [rows * blocks, size]), reshape(g, R, [size, size]));
    return reshape(g, flat, [rows, width]);
  }
  const apart = transpose(g, reshape(g, x, [rows, blocks, size]), [1, 0, 2]);
  return reshape(g, transpose(g, matmul(g, apart, R), [1, 0, 2]), [rows, width]);
}

/** The divisor of the width that lies nearest to what was asked for, the smaller of two; not 1. */
function blocksOf(
  { in: width }: SiteShape,
  asked: number,
): { readonly size: number; readonly blocks: number } {
  if (asked >= width) return { size: width, blocks: 1 };
  let [lower, higher] = [asked, asked];
  while (width % lower !== 0) lower -= 1;
  while (width % higher !== 0) higher += 1;
  const size = lower > 1 && asked - lower <= higher - asked ? lower : higher;
  return { size, blocks: width / size };
}

/** Each block brought down to its bound; its gradient is that of what it was brought to, as in peft. */
function bounded(g: Graph, above: Value, eps: number): Value {
  const squares = reduceSum(g, mul(g, above, above), [1]);
  const most = scalar(g, eps / Math.sqrt(2 * at(above.shape, 0)));
  const factor = minimum(g, scalar(g, 1), div(g, most, sqrt(g, squares)));
  return add(g, above, detach(g, sub(g, mul(g, above, factor), above)));
}

/** Brings the norm of a skew-symmetric matrix, of which `above` is one half, down to `most`. */
function shorten(above: Float32Array, most: number): void {
  const norm = Math.sqrt(2 * above.reduce((sum, value) => sum + value * value, 0));
  if (norm > most) above.forEach((value, place) => (above[place] = (value * most) / norm));
}
