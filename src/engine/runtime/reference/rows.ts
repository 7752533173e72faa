/** @file Reductions, and what works on the last axis: softmax, norms, rotary embedding, cross entropy. */
import { at } from "../../../shared/errors.ts";
import { mean } from "../../../shared/sums.ts";
import type { Evaluate, Tensor, TensorType } from "./tensor.ts";
import { coordinates, element, filled, positionOf } from "./tensor.ts";

/** Folds the elements along axes, which stay with size 1. */
export function reduction(
  start: number,
  fold: (sum: number, x: number) => number,
): Evaluate<"ReduceSum" | "ReduceMax"> {
  return (inputs, outputs, { axes }) => {
    const x = at(inputs, 0);
    const y = filled(at(outputs, 0), () => start);
    for (let position = 0; position < x.data.length; position++) {
      const target = coordinates(x.shape, position).map((at, axis) =>
        axes.includes(axis) ? 0 : at,
      );
      const place = positionOf(y.shape, target);
      y.data[place] = fold(element(y, place), element(x, position));
    }
    return [y];
  };
}

/** y = eˣ / Σ eˣ along the last axis. */
export const softmax: Evaluate<"Softmax"> = (inputs, outputs) => {
  const logs = logProbabilities(at(inputs, 0));
  return [filled(at(outputs, 0), (position) => Math.exp(element(logs, position)))];
};

/** y = x − ln Σ eˣ along the last axis. */
export const logSoftmax: Evaluate<"LogSoftmax"> = (inputs) => [logProbabilities(at(inputs, 0))];

function logProbabilities(x: Tensor): Tensor {
  return mapRows(x, x, (row) => {
    const largest = Math.max(...row);
    const sum = row.reduce((total, value) => total + Math.exp(value - largest), 0);
    return row.map((value) => value - largest - Math.log(sum));
  });
}

/** r = (mean(x²) + ε)^(−½), y = x r w. */
export const rmsNorm: Evaluate<"RmsNorm"> = (inputs, outputs, { epsilon }) => {
  const [x, w, y] = [at(inputs, 0), at(inputs, 1), at(outputs, 0)];
  const size = w.data.length;
  const r = mapRows(x, at(outputs, 1), (row) => [
    1 / Math.sqrt(mean(row.map((v) => v * v)) + epsilon),
  ]);
  const scaled = (position: number): number =>
    element(x, position) * element(r, Math.floor(position / size)) * element(w, position % size);
  return [filled(y, scaled), r];
};

/** μ = mean x, r = (mean (x − μ)² + ε)^(−½), y = (x − μ) r w + b. */
export const layerNorm: Evaluate<"LayerNorm"> = (inputs, outputs, { epsilon }) => {
  const [x, w, b, y] = [at(inputs, 0), at(inputs, 1), at(inputs, 2), at(outputs, 0)];
  const size = w.data.length;
  const mu = mapRows(x, at(outputs, 1), (row) => [mean(row)]);
  const r = mapRows(x, at(outputs, 2), (row) => {
    const centre = mean(row);
    return [1 / Math.sqrt(mean(row.map((v) => (v - centre) ** 2)) + epsilon)];
  });
  const normalised = (position: number): number => {
    const row = Math.floor(position / size);
    const centred = element(x, position) - element(mu, row);
    return centred * element(r, row) * element(w, position % size) + element(b, position % size);
  };
  return [filled(y, normalised), mu, r];
};

/** With x = [x₁, x₂] in halves: [x₁ cos − x₂ sin, x₂ cos + x₁ sin]. */
export const rope: Evaluate<"Rope"> = (inputs, outputs) => {
  const [x, cos, sin] = [at(inputs, 0), at(inputs, 1), at(inputs, 2)];
  const size = at(x.shape, 3);
  const half = size / 2;
  return [
    filled(at(outputs, 0), (position) => {
      const [batch = 0, place = 0, , dimension = 0] = coordinates(x.shape, position);
      const sequence = cos.shape[0] === 1 ? 0 : batch;
      const angle = positionOf(cos.shape, [sequence, place, 0, dimension % half]);
      const first = dimension < half;
      const other = first ? -element(x, position + half) : element(x, position - half);
      return element(x, position) * element(cos, angle) + other * element(sin, angle);
    }),
  ];
};

/** loss = −log p[label], 0 where the label is negative. */
export const crossEntropy: Evaluate<"CrossEntropy"> = (inputs, outputs) => {
  const [logits, labels] = [at(inputs, 0), at(inputs, 1)];
  const classes = at(logits.shape, 1);
  const logs = logProbabilities(logits);
  const loss = filled(at(outputs, 0), (row) => {
    const label = element(labels, row);
    return label < 0 ? 0 : -element(logs, row * classes + label);
  });
  return [loss, logs];
};

function mapRows(x: Tensor, result: TensorType, f: (row: number[]) => number[]): Tensor {
  const size = at(x.shape, x.shape.length - 1);
  const data: number[] = [];
  for (let start = 0; start < x.data.length; start += size)
    data.push(...f(Array.from(x.data.subarray(start, start + size))));
  return filled(result, (position) => at(data, position));
}
