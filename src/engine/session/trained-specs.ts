/** @file Everything that a setup trains or holds frozen for a method, each tensor once, and how it starts. */
import type { Init } from "../methods/define.ts";
import type { BlockSpec, Model, TensorSpec } from "../models/architecture.ts";
import type { FactorSpec } from "../network/factors.ts";
import type { ParameterSpec } from "../network/parameters.ts";
import type { BlockSetup } from "../programs/setup.ts";
import { frozenFactors, methodTensors, parameterName, trainedTensors } from "../programs/setup.ts";
import { tensorFacts } from "../programs/tensor-facts.ts";

/** A tensor to train, and how it starts: drawn, or as the checkpoint has it. */
export interface TrainedSpec extends ParameterSpec {
  readonly start: { readonly init: Init } | { readonly tensor: TensorSpec };
  /** It has a gradient, which measures, and never moves. */
  readonly gauge?: true;
}

/** A frozen factor, and how it starts. */
export interface FrozenSpec extends FactorSpec {
  readonly init: Init;
}

/** In a fixed order, tied ones once. */
export function trainedSpecs(model: Model, setups: readonly BlockSetup[]): readonly TrainedSpec[] {
  const specs = new Map<string, TrainedSpec>();
  for (const setup of setups)
    for (const { name, shape, gauge } of trainedTensors(setup)) {
      const full = parameterName(setup.spec, name);
      specs.set(full, {
        name: full,
        shape,
        decays: decays(setup.spec, name),
        ...tensorFacts(model, setup, name),
        blocks: [...(specs.get(full)?.blocks ?? []), setup.spec.id],
        start: startOf(setup, name),
        ...(gauge && { gauge }),
      });
    }
  return [...specs.values()];
}

export function frozenSpecs(setups: readonly BlockSetup[]): readonly FrozenSpec[] {
  const specs = new Map<string, FrozenSpec>();
  for (const setup of setups)
    for (const { name: local, shape, spec } of frozenFactors(setup)) {
      const { dtype = "float32", stored = true, init } = spec;
      const name = parameterName(setup.spec, local);
      specs.set(name, { name, shape, dtype, stored, init });
    }
  return [...specs.values()];
}

function startOf(setup: BlockSetup, name: string): TrainedSpec["start"] {
  const tensor = setup.spec.tensors.find((candidate) => candidate.name === name);
  if (tensor) return { tensor };
  return { init: methodTensors(setup).find((own) => own.name === name)?.spec.init ?? "zeros" };
}

/** Biases and norms do not decay, as in transformers. */
function decays(spec: BlockSpec, name: string): boolean {
  const role = spec.tensors.find((tensor) => tensor.name === name)?.role;
  return role !== "bias" && role !== "norm";
}
