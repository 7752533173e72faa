/** @file Everything random of a run: starts of trained tensors and dropout, each from a stream of its own. */
import { createRandom, permutation, streamKey } from "../../../kernels/random/index.ts";
import type { StreamKey } from "../../../kernels/random/index.ts";
import { elementCount } from "../../shared/dtypes.ts";
import type { Shape } from "../../shared/dtypes.ts";
import type { StartRandom } from "../methods/start.ts";
import type { DrawMask } from "../network/bindings.ts";
import type { Normals } from "../network/estimator.ts";
import { kernelBytes } from "../runtime/kernels.ts";
import type { Draw } from "./load-weights.ts";

export interface RandomNumbers {
  /** Starts a tensor; the same for a seed and a name, whatever else is drawn. */
  readonly start: Draw;
  /** The micro-batch that the next masks are for; steps count from 1. */
  readonly begin: (step: number, microBatch: number) => void;
  readonly mask: DrawMask;
  /** Directions and noise of a step, by tensor. */
  readonly normals: Normals;
  /** 0 … count − 1 in the order of a draw, for schedules over layers. */
  readonly shuffled: (draw: number, count: number) => readonly number[];
  /** For what methods draw around step t. */
  readonly ofStep: (t: number, name: string) => StartRandom;
  /** For what starts from data at a module. */
  readonly ofStart: (module: string, name: string) => StartRandom;
}

export function randomNumbers(seed: number): RandomNumbers {
  const random = createRandom(kernelBytes("random"));
  let place: readonly [number, number] = [0, 0];
  const named = (...parts: readonly (string | number)[]): StartRandom => {
    const key = (kind: string): StreamKey => streamKey(seed, ...parts, kind);
    return {
      uniform(into, low, high) {
        random.uniform(key("uniform"), 0, into, low, high);
      },
      normal(into, mean, deviation) {
        random.normal(key("normal"), 0, into, mean, deviation);
      },
      permutation: (count) => Int32Array.from(permutation(key("permutation"), count)),
    };
  };
  return {
    start(name, shape, init, into) {
      const key = streamKey(seed, "start", name);
      if (init === "zeros" || init === "ones") into.fill(init === "ones" ? 1 : 0);
      else if ("kaimingUniform" in init) {
        const bound = kaimingBound(shape, init.kaimingUniform);
        random.uniform(key, 0, into, -bound, bound);
      } else if ("kaimingNormal" in init)
        random.normal(key, 0, into, 0, kaimingBound(shape, init.kaimingNormal) / Math.sqrt(3));
      else if ("uniform" in init) random.uniform(key, 0, into, -init.uniform, init.uniform);
      else if ("constant" in init) into.fill(init.constant);
      else random.normal(key, 0, into, 0, init.normal);
    },
    ofStep: (t, name) => named("step", t, name),
    ofStart: (module, name) => named("start", module, name),
    normals(step, tensor, first, into) {
      random.normal(streamKey(seed, "perturbation", step, tensor), first, into);
    },
    shuffled: (draw, count) => [...permutation(streamKey(seed, "active layers", draw), count)],
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
