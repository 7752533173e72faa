/** @file What a method does on the host around each optimizer step: budgets of rank, thresholds, frozen columns. */
import type { Shape } from "../../shared/dtypes.ts";
import type { StartRandom } from "./start.ts";

/** One of a method's tensors at a site. */
export interface HookTensor {
  readonly shape: Shape;
  /** The values themselves: what is written is what programs read. Frozen factors hold a method's own state. */
  readonly weight: Float32Array;
  /** Summed over the step's micro-batches, before clipping; empty for frozen factors. */
  readonly gradient: Float32Array;
}

export interface HookSite {
  readonly module: string;
  readonly tensor: (param: string) => HookTensor;
}

export interface HookStep {
  /** From 1 to `steps`. */
  readonly t: number;
  readonly steps: number;
  readonly lr: number;
  /** Tells of a penalty whose gradient was added, in the measure of the loss. */
  readonly penalty: (value: number) => void;
  /** Of this step alone. */
  readonly random: (name: string) => StartRandom;
}

/** Each sees all sites of one entry of `method`, in the model's order. */
export interface Hooks {
  readonly beforeStep?: (sites: readonly HookSite[], step: HookStep) => void;
  /** Gradients may be changed; the update follows. */
  readonly afterBackward?: (sites: readonly HookSite[], step: HookStep) => void;
  readonly afterStep?: (sites: readonly HookSite[], step: HookStep) => void;
}

/** What a `gauge` measured in the step's backward passes; it is left at 0, so that the optimizer moves nothing by it. */
export function takeReading({ gradient }: HookTensor): number {
  const [reading = 0] = gradient;
  gradient.fill(0);
  return reading;
}

/** The budget of a step by a cubic: `first` until `from`, then falling to `last` at `to`. */
export function cubicBudget(
  t: number,
  { first, last, from, to }: Readonly<Record<"first" | "last" | "from" | "to", number>>,
): number {
  if (t <= from) return first;
  if (t >= to) return last;
  return last + (first - last) * (1 - (t - from) / (to - from)) ** 3;
}
