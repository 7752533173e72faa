/** @file Everything random of a run: starts of trained tensors and dropout, each from a stream of its own. */
import { createRandom, streamKey } from "../../../kernels/random/index.ts";
import { elementCount } from "../../shared/dtypes.ts";
import type { Shape } from "../../shared/dtypes.ts";
import type { DrawMask } from "../network/bindings.ts";
import { kernelBytes } from "../runtime/kernels.ts";
import type { Draw } from "./load-weights.ts";

export interface RandomNumbers {
  /** Starts a tensor; the same for a seed and a name, whatever else is drawn. */
  readonly start: Draw;
  /** The micro-batch that the next masks are for; steps count from 1. */
  readonly begin: (step: number, microBatch: number) => void;
  readonly mask: DrawMask;
}

export function randomNumbers(seed: number): RandomNumbers {
  const random = createRandom(kernelBytes("random"));
  let place: readonly [number, number] = [0, 0];
  return {
    start(name, shape, init, into) {
      const key = streamKey(seed, "start", name);
      if (init === "zeros" || init === "ones") into.fill(init === "ones" ? 1 : 0);
      else if ("kaimingUniform" in init) {
        const bound = kaimingBound(shape, init.kaimingUniform);
        random.uniform(key, 0, into, -bound, bound);
      } else random.normal(key, 0, into, 0, init.normal);
    },
    begin(step, microBatch) {
      place = [step, microBatch];
    },
    mask(module, keep, first, into) {
      random.keepMask(streamKey(seed, "dropout", ...place, module), first, into, keep);
    },
  };
}

/** √(6 / ((1 + a²) fanIn)), fanIn being all but the first axis, as PyTorch's `kaiming_uniform_`. */
function kaimingBound(shape: Shape, a: number): number {
  const fanIn = elementCount(shape.slice(1));
  return Math.sqrt(6 / ((1 + a * a) * fanIn));
}
