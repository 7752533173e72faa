/**
 * @file Block reconstruction: Adam over a quantizer's numbers against the float output of a block, the best found kept.
 *
 * As FlexRound's and AdaRound's trainers have it (Nagel and others, 2020, https://arxiv.org/abs/2004.10568): the loss is the
 * squared error of a block's output, gradients come through the rounding as if it were not there.
 */

export interface AdamSearchOptions {
  readonly steps: number;
  readonly learningRate: number;
  readonly beta1?: number;
  readonly beta2?: number;
  readonly epsilon?: number;
}

/** Loss and gradients, one for each of the numbers' arrays, at the numbers as they are. */
export interface Measured {
  readonly loss: number;
  readonly gradients: readonly Float32Array[];
}

/**
 * Changes `numbers` in place by `steps` steps of Adam; `best` is called whenever what was measured is the least so
 * far, the start included, before the numbers move on. Losses are those before each step, and after the last one.
 */
export async function adamSearch(
  numbers: readonly Float32Array[],
  measure: () => Promise<Measured>,
  best: () => void,
  options: AdamSearchOptions,
): Promise<readonly number[]> {
  const { steps, learningRate, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = options;
  const first = numbers.map(({ length }) => new Float32Array(length));
  const second = numbers.map(({ length }) => new Float32Array(length));
  const losses: number[] = [];
  let least = Infinity;
  for (let step = 1; step <= steps + 1; step++) {
    const { loss, gradients } = await measure();
    losses.push(loss);
    if (loss < least) {
      least = loss;
      best();
    }
    if (step > steps) break;
    const [off1, off2] = [1 - beta1 ** step, 1 - beta2 ** step];
    // Linear down to a tenth, so that the last steps settle.
    const rate = learningRate * (1 - (0.9 * (step - 1)) / steps);
    for (const [k, values] of numbers.entries()) {
      const [m, v, gradient] = [first[k], second[k], gradients[k]];
      if (!m || !v || gradient?.length !== values.length)
        throw new RangeError(`There are no gradients of numbers ${k}.`);
      for (let i = 0; i < values.length; i++) {
        const g = gradient[i] ?? NaN;
        const mean = beta1 * (m[i] ?? NaN) + (1 - beta1) * g;
        const square = beta2 * (v[i] ?? NaN) + (1 - beta2) * g * g;
        [m[i], v[i]] = [mean, square];
        const move = mean / off1 / (Math.sqrt(square / off2) + epsilon);
        values[i] = (values[i] ?? NaN) - rate * move;
      }
    }
  }
  return losses;
}
