/** @file Weights for any model from the formula of the reference fixtures: nothing at random, nothing stored. */
import assert from "node:assert/strict";
import type { Model, TensorSpec } from "../../src/engine/models/architecture.ts";
import { at } from "../../src/shared/errors.ts";
import { filled } from "../reference/deterministic.ts";
import type { NetworkParts } from "./network.ts";

/** Reads every tensor of a model and the factors of LoRA of rank `r`, as `buildNetwork` asks for them. */
export function formulaWeights(model: Model, r = 4): NetworkParts["read"] {
  const tensors = new Map(
    model.blocks.flatMap((block) => block.tensors.map((tensor) => [tensor.source, tensor])),
  );
  const sites = new Map(
    model.blocks.flatMap((block) => block.linears.map((linear) => [linear.module, linear])),
  );
  return (name) => {
    const tensor = tensors.get(name);
    if (tensor) return filled({ name, shape: tensor.shape, ...range(tensor) });
    const [module = "", factor] = name.split("#");
    const linear = sites.get(module);
    assert(linear && (factor === "A" || factor === "B"), `there is no tensor ${name}`);
    const shape = factor === "A" ? [r, linear.in] : [linear.out, r];
    return filled({ name, shape, scale: 1 / Math.sqrt(at(shape, 1)), offset: 0 });
  };
}

/** Of a size that keeps hidden states near 1; norms about 1, biases small. */
function range({ role, shape }: TensorSpec): { readonly scale: number; readonly offset: number } {
  switch (role) {
    case "norm":
      return { scale: 0.125, offset: 1 };
    case "bias":
      return { scale: 0.0625, offset: 0 };
    case "embedding":
      return { scale: 1, offset: 0 };
    case "linear":
      return { scale: 1.5 / Math.sqrt(at(shape, 1)), offset: 0 };
  }
}
