/** @file Matrix products by their definitions. */
import { at } from "../../../shared/errors.ts";
import type { Evaluate, Tensor } from "./tensor.ts";
import { broadcastSource, element, filled } from "./tensor.ts";

export const matmul: Evaluate<"MatMul"> = (inputs, outputs, { transA, transB, alpha }) => {
  const [a, b, y] = [at(inputs, 0), at(inputs, 1), at(outputs, 0)];
  const [m, n] = [at(y.shape, y.shape.length - 2), at(y.shape, y.shape.length - 1)];
  const k = at(a.shape, a.shape.length - (transA ? 2 : 1));
  const lead = y.shape.slice(0, -2);
  const matrixOfA = broadcastSource(a.shape.slice(0, -2), lead);
  const matrixOfB = broadcastSource(b.shape.slice(0, -2), lead);
  return [
    filled(y, (position) => {
      const matrix = Math.floor(position / (m * n));
      const row = Math.floor(position / n) % m;
      const column = position % n;
      const startA = matrixOfA(matrix) * m * k;
      const startB = matrixOfB(matrix) * k * n;
      let sum = 0;
      for (let i = 0; i < k; i++)
        sum +=
          element(a, startA + (transA ? i * m + row : row * k + i)) *
          element(b, startB + (transB ? column * k + i : i * n + column));
      return alpha * sum;
    }),
  ];
};

/** y = α op(a) op(b) + c, c broadcast over the rows. */
export const gemm: Evaluate<"Gemm"> = (inputs, outputs, attributes) => {
  const product = at(matmul(inputs, outputs, attributes), 0);
  const c = at(inputs, 2);
  const sum = (position: number): number =>
    element(product, position) + element(c, position % c.data.length);
  return [filled(product, sum)];
};

/** The sixteen values of NormalFloat4. Dettmers et al., "QLoRA", appendix E. */
export const nf4Values = [
  -1, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635,
  -0.18477343022823334, -0.09105003625154495, 0, 0.07958029955625534, 0.16093020141124725,
  0.24611230194568634, 0.33791524171829224, 0.44070982933044434, 0.5626170039176941,
  0.7229568362236023, 1,
];

/** Each byte holds two elements, the first in its high half; each block of them one factor. */
export const matmulNF4: Evaluate<"MatMulNF4"> = (inputs, outputs, attributes) => {
  const [x, codes, absmax] = [at(inputs, 0), at(inputs, 1), at(inputs, 2)];
  const { in: columns, out: rows, blockSize } = attributes;
  const weight: Tensor = filled({ dtype: "float32", shape: [rows, columns] }, (position) => {
    const byte = element(codes, position >> 1);
    const code = position % 2 === 0 ? byte >> 4 : byte & 15;
    return at(nf4Values, code) * element(absmax, Math.floor(position / blockSize));
  });
  return [byRows(x, weight, at(outputs, 0))];
};

/** Codes of each row one after the other, the first lowest; zeros likewise, each row on bytes of its own. */
export const matmulNBits: Evaluate<"MatMulNBits"> = (inputs, outputs, attributes) => {
  const [x, codes] = [at(inputs, 0), at(inputs, 1)];
  const [scales, zeros] = [at(inputs, 2), at(inputs, 3)];
  const { in: columns, out: rows, bits, group } = attributes;
  const groups = columns / group;
  const perByte = 8 / bits;
  const zeroBytes = Math.ceil(groups / perByte);
  const code = (of: Tensor, start: number, index: number): number =>
    (element(of, start + Math.floor(index / perByte)) >> ((index % perByte) * bits)) &
    (2 ** bits - 1);
  const weight: Tensor = filled({ dtype: "float32", shape: [rows, columns] }, (position) => {
    const [row, column] = [Math.floor(position / columns), position % columns];
    const at_ = Math.floor(column / group);
    const zero = code(zeros, row * zeroBytes, at_);
    const own = code(codes, (row * columns) / perByte, column);
    return element(scales, row * groups + at_) * (own - zero);
  });
  return [byRows(x, weight, at(outputs, 0))];
};

/** x Wᵀ. */
function byRows(x: Tensor, weight: Tensor, y: Parameters<typeof filled>[0]): Tensor {
  const [rows = 1, columns = 1] = weight.shape;
  return filled(y, (position) => {
    const start = Math.floor(position / rows) * columns;
    const row = (position % rows) * columns;
    let sum = 0;
    for (let i = 0; i < columns; i++) sum += element(x, start + i) * element(weight, row + i);
    return sum;
  });
}
