/** @file One configuration for each matrix, with the least cost in all within a budget of size: exactly, in an order, and by bisection. */

/** A configuration of one matrix: what it costs in quality, and its size (whole units: bits, say). */
export interface Choice {
  readonly cost: number;
  readonly size: number;
}

export interface Allocation {
  /** The choice of each matrix. */
  readonly chosen: readonly number[];
  readonly cost: number;
  readonly size: number;
}

/** Undefined where even the smallest choices are above the budget. */
export type Allocator = (
  matrices: readonly (readonly Choice[])[],
  budget: number,
) => Allocation | undefined;

/**
 * The least cost that there is, by dynamic programming over sets of matrices: of partial allocations only
 * those stay that none other beats in cost and size. RangeError beyond `most` of them (2^20 where not
 * given): scale the sizes down (rounding up) then, or ask {@link allocateByPrice}.
 */
export function allocateExactly(
  matrices: readonly (readonly Choice[])[],
  budget: number,
  most: number = 2 ** 20,
): Allocation | undefined {
  check(matrices, budget);
  interface Partial extends Choice {
    readonly choice: number;
    readonly before: Partial | undefined;
  }
  const least = matrices.map((choices) => pick(choices, smallest(choices)).size);
  let ahead = least.reduce((sum, size) => sum + size, 0);
  let front: readonly Partial[] = [{ cost: 0, size: 0, choice: -1, before: undefined }];
  for (const [matrix, choices] of matrices.entries()) {
    ahead -= least[matrix] ?? 0;
    const next: Partial[] = [];
    for (const before of front)
      for (const [choice, { cost, size }] of choices.entries())
        if (before.size + size + ahead <= budget)
          next.push({ cost: before.cost + cost, size: before.size + size, choice, before });
    next.sort((a, b) => a.size - b.size || a.cost - b.cost);
    let lowest = Infinity;
    front = next.filter(({ cost }) => cost < lowest && ((lowest = cost), true));
    if (front.length > most)
      throw new RangeError(`More than ${most} allocations remain after ${matrix + 1} matrices.`);
  }
  let last = front.at(-1);
  if (last === undefined) return undefined;
  const chosen: number[] = [];
  for (; last.before !== undefined; last = last.before) chosen.unshift(last.choice);
  return total(matrices, chosen);
}

/**
 * In one order for every budget: each choice of a matrix is one step on from the one before, and steps are taken level by
 * level, within a level those that save most cost first, up to the first that does not fit. Choices of a matrix come
 * by rising size.
 */
export const allocateInOrder: Allocator = (matrices, budget) => {
  check(matrices, budget);
  const chosen = matrices.map(() => 0);
  let { size } = total(matrices, chosen);
  if (size > budget) return undefined;
  const levels = matrices.reduce((most, { length }) => Math.max(most, length), 0);
  for (let level = 1; level < levels; level++) {
    const steps = matrices.flatMap((choices, matrix) => {
      const [before, after] = [choices[level - 1], choices[level]];
      return before && after ? [{ matrix, saved: before.cost - after.cost, more: after.size - before.size }] : []; // prettier-ignore
    });
    for (const { matrix, more } of steps.toSorted((a, b) => b.saved - a.saved)) {
      if (size + more > budget) return total(matrices, chosen);
      size += more;
      chosen[matrix] = level;
    }
  }
  return total(matrices, chosen);
};

/** {@link allocateExactly} where that stays small, else {@link allocateByPrice}. */
export const allocateBest: Allocator = (matrices, budget) => {
  try {
    return allocateExactly(matrices, budget, 2 ** 16);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return allocateByPrice(matrices, budget);
  }
};

/**
 * By bisection over the price of a unit of size: each matrix takes what is least in cost + price · size,
 * at the lowest price that fits. Best among all allocations of its own size or less; fast for any number.
 */
export const allocateByPrice: Allocator = (matrices, budget) => {
  check(matrices, budget);
  const at = (price: number) =>
    total(
      matrices,
      matrices.map((choices) => cheapest(choices, price)),
    );
  const least = total(matrices, matrices.map(smallest));
  if (least.size > budget) return undefined;
  const free = at(0);
  if (free.size <= budget) return free;
  let [low, high] = [0, 1];
  while (at(high).size > budget && high < 1e300) high *= 16;
  let best = at(high).size <= budget ? at(high) : least;
  for (let i = 0; i < 200 && high - low > 1e-15 * high; i++) {
    const middle = (low + high) / 2;
    const found = at(middle);
    if (found.size > budget) low = middle;
    else {
      high = middle;
      if (found.cost <= best.cost) best = found;
    }
  }
  return best;
};

function total(matrices: readonly (readonly Choice[])[], chosen: readonly number[]): Allocation {
  const picked = matrices.map((choices, i) => pick(choices, chosen[i]));
  return {
    chosen: [...chosen],
    cost: picked.reduce((sum, choice) => sum + choice.cost, 0),
    size: picked.reduce((sum, choice) => sum + choice.size, 0),
  };
}

function pick(choices: readonly Choice[], index: number | undefined): Choice {
  const choice = choices[index ?? -1];
  if (choice === undefined) throw new RangeError(`There is no choice ${index}.`);
  return choice;
}

/** The index of the smallest size; of equal ones the least cost. */
function smallest(choices: readonly Choice[]): number {
  return leastOf(choices, (a, b) => a.size - b.size || a.cost - b.cost);
}

function cheapest(choices: readonly Choice[], price: number): number {
  const worth = ({ cost, size }: Choice) => cost + price * size;
  return leastOf(choices, (a, b) => worth(a) - worth(b) || a.size - b.size);
}

function leastOf(choices: readonly Choice[], order: (a: Choice, b: Choice) => number): number {
  let best = 0;
  for (const [i, choice] of choices.entries()) if (order(choice, pick(choices, best)) < 0) best = i;
  return best;
}

function check(matrices: readonly (readonly Choice[])[], budget: number): void {
  if (Number.isNaN(budget)) throw new RangeError("The budget is not a number.");
  for (const [i, choices] of matrices.entries()) {
    if (choices.length === 0) throw new RangeError(`Matrix ${i} has no choices.`);
    for (const { cost, size } of choices)
      if (!Number.isFinite(cost) || !(size >= 0 && size < Infinity))
        throw new RangeError(`Matrix ${i} has a choice of cost ${cost} and size ${size}.`);
  }
}
