/** @file Gives a tied head a matrix of its own, where it and the embedding are to differ. */
import { allTensors } from "./all-tensors.ts";
import type { BlockSpec, Model, TensorSpec } from "./architecture.ts";

/** The matrix of a head that shares the embedding's memory; undefined where there is none. */
export function tiedHead(model: Model): TensorSpec | undefined {
  const tables = new Set(
    allTensors(model).flatMap(({ role, source }) => (role === "embedding" ? [source] : [])),
  );
  return model.blocks
    .filter(({ kind }) => kind === "head")
    .flatMap(({ tensors }) => tensors)
    .find(({ role, source }) => role === "linear" && tables.has(source));
}

/** The name that a checkpoint gives a tied head's matrix where the two are not tied: `lm_head.weight`. */
export function untiedName(model: Model, head: TensorSpec): string {
  const linear = model.blocks
    .flatMap(({ linears }) => linears)
    .find(({ name }) => `${name}.weight` === head.name);
  return linear ? `${linear.module}.weight` : head.name;
}

/**
 * The same model with the head's matrix under its own name; it starts as the embedding's. peft does so
 * when it trains one of the two as a module to save.
 */
export function untied(model: Model): Model {
  const head = tiedHead(model);
  if (!head) return model;
  const own: TensorSpec = { ...head, source: untiedName(model, head), stored: head.source };
  const blocks = model.blocks.map((block): BlockSpec =>
    block.kind === "head"
      ? { ...block, tensors: block.tensors.map((tensor) => (tensor === head ? own : tensor)) }
      : block,
  );
  return { ...model, blocks };
}
