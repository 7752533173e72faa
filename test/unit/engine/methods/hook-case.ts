/** @file Sites with tensors on the host, to try on them what a method does around a step. */
import type { BoundMethod } from "../../../../src/engine/methods/define.ts";
import type { HookSite, HookStep, HookTensor } from "../../../../src/engine/methods/hooks.ts";
import { randomNumbers } from "../../../../src/engine/session/draw.ts";
import { elementCount } from "../../../../src/shared/dtypes.ts";
import { invariant } from "../../../../src/shared/errors.ts";
import { generator } from "../op-case.ts";

export const size = { in: 6, out: 5 };

/** Trained tensors at random with gradients at random; frozen ones as they start. */
export function hookSites(method: BoundMethod, count: number): readonly HookSite[] {
  const next = generator(5);
  return Array.from({ length: count }, (_, index): HookSite => {
    const tensors = new Map(
      [...method.params(size)].map(([name, { shape, trains, init }]): [string, HookTensor] => {
        const filled = (): Float32Array =>
          Float32Array.from({ length: elementCount(shape) }, () => 2 * next() - 1);
        const frozen = new Float32Array(elementCount(shape)).fill(init === "ones" ? 1 : 0);
        return [
          name,
          trains === false
            ? { shape, weight: frozen, gradient: new Float32Array(0) }
            : { shape, weight: filled(), gradient: filled() },
        ];
      }),
    );
    return {
      module: `layers.${index}`,
      tensor(param) {
        const tensor = tensors.get(param);
        invariant(tensor, `there is no ${param}`);
        return tensor;
      },
    };
  });
}

/** Step t of `steps`; penalties are summed into `told`. */
export function hookStep(t: number, steps: number): HookStep & { told: number } {
  const step = {
    ...{ t, steps, lr: 1e-3, told: 0 },
    penalty(value: number) {
      step.told += value;
    },
    random: (name: string) => randomNumbers(1).ofStep(t, name),
  };
  return step;
}
