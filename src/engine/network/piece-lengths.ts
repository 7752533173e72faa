/** @file The lengths in which a step without gradients goes through tensors: its direction exists a piece at a time. */

/** Elements of a piece at most. */
export const pieceElements = 1 << 16;

/** The lengths of pieces of tensors of these sizes, each once: an update is compiled for each. */
export function pieceLengths(sizes: readonly number[]): readonly number[] {
  const lengths = sizes.flatMap((size) => [Math.min(size, pieceElements), size % pieceElements]);
  return [...new Set(lengths)].filter((length) => length > 0);
}
