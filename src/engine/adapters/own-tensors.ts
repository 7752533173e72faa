/** @file Finds the places of adapters that bring tensors of the model itself: norms, and rows of the table of words. */
import { rowsTensor } from "../exports/own-tensors.ts";
import { modulePrefix } from "../exports/peft-names.ts";
import type { Json, Placing, Refusal } from "./placing.ts";
import { plainChoice } from "./placing.ts";
import { placedWith } from "./placed-tensors.ts";
import { norms } from "../methods/norms.ts";
import { wordModules } from "../models/word-table.ts";
import { allTensors } from "../models/all-tensors.ts";
import { lastPart, moduleOf } from "../models/module-names.ts";

/** Norms that the file lacks stay as the base has them. */
export const normsPlacing: Placing = (names, model) => {
  const own = allTensors(model)
    .filter((tensor) => norms.selects(tensor))
    .map((tensor) => {
      const [module, part] = [moduleOf(tensor.source), lastPart(tensor.source)];
      const name = `${modulePrefix}${module}.${norms.peft?.part ?? ""}.${part}`;
      return { name, shape: tensor.shape, parameter: tensor.source };
    })
    .filter(({ name }) => names.has(name));
  return placedWith(plainChoice(norms.name, {}), own, modulePrefix, names, model);
};

export function rowsPlacing(json: Json): Placing | Refusal {
  const { token_indices: indices } = json;
  const isIds = (value: unknown): value is readonly number[] =>
    Array.isArray(value) &&
    value.length > 0 &&
    value.every((id) => Number.isInteger(id) && id >= 0) &&
    new Set(value).size === value.length;
  if (!isIds(indices))
    return { field: "token_indices", why: "it must be a list of different ids from 0" };
  return (names, model) => {
    const shape = [indices.length, model.sizes.hidden];
    const own = wordModules(model)
      .map((module) => ({ name: rowsTensor(module), shape, parameter: "shared#rows" }))
      .filter(({ name }) => names.has(name));
    const choice = plainChoice("trainable_tokens", { token_indices: indices });
    return placedWith(choice, own, modulePrefix, names, model);
  };
}
