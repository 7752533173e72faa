/** @file Calls the methods' hooks around each optimizer step, on the host's own arrays. */
import { UserError, invariant } from "../../shared/errors.ts";
import type { HookSite, HookStep, Hooks } from "../methods/hooks.ts";
import type { StartRandom } from "../methods/start.ts";
import type { Factors } from "../network/factors.ts";
import type { Parameters } from "../network/parameters.ts";
import type { TrainedTensors } from "../network/trained-tensors.ts";
import { localName, parameterName } from "../programs/setup.ts";
import type { StepControls } from "../train/step.ts";
import type { ModelSetup } from "./set-up.ts";

export interface ControlParts {
  readonly setup: ModelSetup;
  readonly parameters: Parameters;
  readonly factors: Factors;
  readonly trained: TrainedTensors;
  readonly steps: number;
  readonly random: (t: number, name: string) => StartRandom;
}

/** Undefined where no method has hooks. */
export function createControls(parts: ControlParts): StepControls | undefined {
  const entries = new Map<string, { readonly hooks: Hooks; readonly sites: HookSite[] }>();
  /** Frozen factors that hooks may write. */
  const written = new Set<string>();
  for (const { spec, sites } of parts.setup.setups.values())
    for (const linear of spec.linears) {
      const site = sites.get(linear.name);
      const { hooks } = site?.method ?? {};
      if (!site || !hooks) continue;
      const nameOf = (param: string): string =>
        parameterName(spec, localName(linear.name, site, param));
      for (const [param, { trains }] of site.params)
        if (trains === false) written.add(nameOf(param));
      const group = site.group ?? "";
      const entry = entries.get(group) ?? { hooks: hooks(), sites: [] };
      entries.set(group, entry);
      entry.sites.push({
        module: linear.module,
        tensor(param) {
          if (site.params.get(param)?.trains !== false) return parts.parameters.get(nameOf(param));
          const { shape, data } = parts.factors.get(nameOf(param));
          invariant(data instanceof Float32Array, `${param} holds indices`);
          return { shape, weight: data, gradient: noGradient };
        },
      });
    }
  if (entries.size === 0) return undefined;
  if (parts.trained.place === "device")
    throw new UserError({
      code: "hooks-need-host",
      message: "A method of this experiment changes its tensors on the processor between steps.",
      remedy: "Run it with `device: cpu`.",
    });
  const call =
    (hook: keyof Hooks) =>
    (t: number, lr: number): number | undefined => {
      let sum: number | undefined;
      const step: HookStep = {
        t,
        lr,
        steps: parts.steps,
        penalty: (value) => (sum = (sum ?? 0) + value),
        random: (name) => parts.random(t, name),
      };
      for (const { hooks, sites } of entries.values()) hooks[hook]?.(sites, step);
      for (const name of written) parts.factors.changed(name);
      return sum;
    };
  return {
    beforeStep: call("beforeStep"),
    afterBackward: call("afterBackward"),
    afterStep: call("afterStep"),
  };
}

const noGradient = new Float32Array(0);
