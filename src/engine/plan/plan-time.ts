/** @file About how long a run will take: its floating-point work over the rate at which the machine multiplies. */
import type { Model } from "../models/architecture.ts";
import type { BlockSetup } from "../programs/setup.ts";
import { trainedTensors } from "../programs/setup.ts";

export interface WorkInputs {
  readonly model: Model;
  readonly setups: readonly BlockSetup[];
  readonly checkpointing: boolean;
  /** Tokens of all steps, and how many each may attend to at most. */
  readonly tokens: number;
  readonly length: number;
  /** Share of them that has a loss: the head reads no others. */
  readonly targetShare: number;
  /** Tokens that are only measured on, over all measurements. */
  readonly measuredTokens: number;
}

/**
 * Floating-point operations of a run: 2 n a token for a product with n weights, forward and again for the gradient
 * of its input, and of its weight where that trains; 6 for each weight of a method; 12 heads · length ·
 * headDim for attention. Recomputation in gradient checkpointing counts: it takes time.
 */
export function runWork(inputs: WorkInputs): number {
  const { model, setups, tokens, length, checkpointing } = inputs;
  const lowest = setups.findIndex((setup) => trainedTensors(setup).length > 0);
  // Beside a side network the model runs forward alone, but for its head.
  const hasSide = setups.some((setup) => setup.places?.has("side") === true);
  const rowsOf = ({ spec }: BlockSetup): number =>
    spec.kind === "head" ? tokens * inputs.targetShare : tokens;
  const products = setups.map((setup, index) => {
    const flows = hasSide ? setup.spec.kind === "head" : index >= lowest;
    const again = checkpointing && setup.spec.kind === "layer";
    const passes = 1 + Number(flows) + Number(flows && again);
    return rowsOf(setup) * (2 * passes * baseWeights(setup) + 2 * trainedWeights(setup));
  });
  const { heads, headDim, layers } = model.sizes;
  const attention =
    (hasSide ? 4 : 12 + (checkpointing ? 4 : 0)) * heads * headDim * length * layers * tokens;
  const measured = setups.map((setup) => 2 * inputs.measuredTokens * baseWeights(setup));
  return [...products, attention, ...measured].reduce((sum, work) => sum + work, 0);
}

/** The product by which the rate is measured: [rows, inner] by [inner, columns]. */
export const rateProduct = { rows: 256, inner: 1024, columns: 1024 } as const;

/** Between what the benchmarks of a step reach (0.8 of the rate of large products) and what small models do. */
const shareOfRate = 0.65;

/** Seconds that running one program takes beside its work. */
const secondsOfRun = 3e-4;

/** `rate` in operations a second, of products that fill the machine; `microBatches` over all steps. */
export function estimateSeconds(inputs: WorkInputs, rate: number, microBatches: number): number {
  const runs = 2 * inputs.setups.length * microBatches;
  return runWork(inputs) / (shareOfRate * rate) + runs * secondsOfRun;
}

function baseWeights({ spec }: BlockSetup): number {
  return spec.linears.reduce((sum, linear) => sum + linear.in * linear.out, 0);
}

/** Weights whose gradient is a product of its own; thrice as many where a method's factors run beside. */
function trainedWeights(setup: BlockSetup): number {
  const whole = setup.spec.linears.filter(({ name }) => setup.trained.has(`${name}.weight`));
  const factors = [...setup.sites.values(), ...(setup.places?.values() ?? [])].flatMap(
    ({ params }) => [...params.values()],
  );
  return (
    whole.reduce((sum, linear) => sum + linear.in * linear.out, 0) +
    3 * factors.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0)
  );
}
