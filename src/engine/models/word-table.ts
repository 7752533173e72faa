/** @file The table of a model's words, and the head that is tied to it. */
import { invariant } from "../../shared/errors.ts";
import { allTensors } from "./all-tensors.ts";
import type { Model, TensorSpec } from "./architecture.ts";
import { moduleOf } from "./module-names.ts";

/** The table that is read by the words' ids. */
export function wordTable(model: Pick<Model, "blocks">): TensorSpec {
  const table = allTensors(model).find(
    ({ role, rows = "ids" }) => role === "embedding" && rows === "ids",
  );
  invariant(table, "the model has no table of words");
  return table;
}

/** The module of the table, and that of a head that is tied to it. */
export function wordModules(model: Pick<Model, "blocks">): readonly string[] {
  const table = wordTable(model);
  const heads = model.blocks.flatMap(({ linears, tensors }) =>
    linears.filter(({ name }) =>
      tensors.some((tensor) => tensor.name === `${name}.weight` && tensor.source === table.source),
    ),
  );
  return [moduleOf(table.source), ...heads.map(({ module }) => module)];
}
