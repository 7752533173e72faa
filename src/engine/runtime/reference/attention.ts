/** @file Causal attention by its definition, one query at a time. */
import { at } from "../../../shared/errors.ts";
import type { Evaluate } from "./tensor.ts";
import { element, filled } from "./tensor.ts";

/** o = Σⱼ pⱼ vⱼ over j ≤ i with p = softmax(scale q·k). */
export const causalAttention: Evaluate<"CausalAttention"> = (inputs, outputs, { scale }) => {
  const [q, k, v] = [at(inputs, 0), at(inputs, 1), at(inputs, 2)];
  const [length, heads, dim] = [at(q.shape, 1), at(q.shape, 2), at(q.shape, 3)];
  const groups = at(k.shape, 2);
  const weights = new Map<number, readonly number[]>();
  /** The weights of one query of one head. */
  const weightsOf = (row: number): readonly number[] => {
    const known = weights.get(row);
    if (known) return known;
    const { batch, query, group } = placeOf(row);
    const scores = Array.from({ length: query + 1 }, (_, key) => {
      let dot = 0;
      for (let i = 0; i < dim; i++)
        dot +=
          element(q, row * dim + i) *
          element(k, ((batch * length + key) * groups + group) * dim + i);
      return dot * scale;
    });
    const largest = Math.max(...scores);
    const exponentials = scores.map((score) => Math.exp(score - largest));
    const sum = exponentials.reduce((total, value) => total + value, 0);
    const result = exponentials.map((value) => value / sum);
    weights.set(row, result);
    return result;
  };
  const placeOf = (
    row: number,
  ): { readonly batch: number; readonly query: number; readonly group: number } => ({
    batch: Math.floor(row / (length * heads)),
    query: Math.floor(row / heads) % length,
    group: Math.floor((row % heads) / (heads / groups)),
  });
  return [
    filled(at(outputs, 0), (position) => {
      const row = Math.floor(position / dim);
      const { batch, group } = placeOf(row);
      return weightsOf(row).reduce(
        (sum, weight, key) =>
          sum +
          weight * element(v, ((batch * length + key) * groups + group) * dim + (position % dim)),
        0,
      );
    }),
  ];
};
