/** @file A block with LoRA, its loss and the gradients of the factors: one graph that uses most operators. */
import { differentiate } from "../../../../src/engine/autodiff/backward.ts";
import type { Graph, Value } from "../../../../src/engine/core/graph.ts";
import { newGraph } from "../../../../src/engine/core/graph.ts";
import * as o from "../../../../src/engine/core/ops.ts";
import type { Shape } from "../../../../src/shared/dtypes.ts";
import { elementCount } from "../../../../src/shared/dtypes.ts";
import type { CaseData } from "../op-case.ts";
import { generator } from "../op-case.ts";

export interface BlockSizes {
  readonly batch: number;
  readonly length: number;
  readonly heads: number;
  readonly groups: number;
  readonly dim: number;
  readonly rank: number;
  readonly vocabulary: number;
}

export interface LoraGraph {
  readonly graph: Graph;
  readonly data: ReadonlyMap<string, CaseData>;
}

/** Outputs `loss` and a gradient `d.…` for each factor. */
export function loraGraph(sizes: BlockSizes): LoraGraph {
  const { batch, length, heads, groups, dim, rank, vocabulary } = sizes;
  const g = newGraph();
  const data = new Map<string, CaseData>();
  const random = generator(3);
  const width = heads * dim;
  const rows = batch * length;

  const weight = (name: string, shape: Shape, size = 1 / Math.sqrt(shape.at(-1) ?? 1)): Value => {
    const count = elementCount(shape);
    data.set(
      name,
      Float32Array.from({ length: count }, () => size * (2 * random() - 1)),
    );
    return g.input(name, "float32", shape);
  };
  const integers = (name: string, limit: number): Value => {
    data.set(
      name,
      Int32Array.from({ length: rows }, () => Math.floor(limit * random())),
    );
    return g.input(name, "int32", [rows]);
  };
  const factors = new Map<string, Value>();
  /** x Wᵀ + 2 (x Aᵀ) Bᵀ */
  const linear = (name: string, x: Value, outputs: number): Value => {
    const inputs = x.shape.at(-1) ?? 1;
    const [a, b] = [weight(`${name}.A`, [rank, inputs]), weight(`${name}.B`, [outputs, rank])];
    factors.set(`${name}.A`, a).set(`${name}.B`, b);
    const thin = o.matmul(g, x, a, { transB: true });
    const base = o.matmul(g, x, weight(name, [outputs, inputs]), { transB: true });
    return o.add(g, base, o.matmul(g, thin, b, { transB: true, alpha: 2 }));
  };
  const norm = (name: string, x: Value): Value => o.rmsNorm(g, x, weight(name, [width], 1), 1e-5);
  const toHeads = (x: Value, count: number): Value => o.reshape(g, x, [batch, length, count, dim]);

  const embedding = weight("embedding", [vocabulary, width], 1);
  const cos = weight("cos", [1, length, 1, dim / 2], 1);
  const sin = weight("sin", [1, length, 1, dim / 2], 1);
  const hidden = o.gather(g, embedding, integers("tokens", vocabulary));
  const x = norm("norm1", hidden);
  const q = o.rope(g, toHeads(linear("q", x, width), heads), cos, sin);
  const k = o.rope(g, toHeads(linear("k", x, groups * dim), groups), cos, sin);
  const v = toHeads(linear("v", x, groups * dim), groups);
  const mixed = o.causalAttention(g, q, k, v, 1 / Math.sqrt(dim));
  const attended = o.add(g, hidden, linear("o", o.reshape(g, mixed, [rows, width]), width));
  const y = norm("norm2", attended);
  const gated = o.mul(g, o.silu(g, linear("gate", y, 2 * width)), linear("up", y, 2 * width));
  const last = norm("norm3", o.add(g, attended, linear("down", gated, width)));
  const logits = o.matmul(g, last, embedding, { transB: true });
  const labels = integers("labels", vocabulary);
  const { loss: losses } = o.crossEntropy(g, logits, labels);
  const loss = o.reshape(g, o.reduceMean(g, losses, [0, 1]), []);
  g.output("loss", loss);
  const gradients = differentiate(g, new Map([[loss, o.scalar(g, 1)]]), [...factors.values()]);
  for (const [name, factor] of factors) {
    const gradient = gradients.get(factor);
    if (gradient) g.output(`d.${name}`, gradient);
  }
  return { graph: g, data };
}
