/** @file Checks values that come from no experiment file (JSON, code, a wire) against declarations. */
import type { Checked } from "../findings.ts";
import type { Field, Fields, Infer } from "../schema.ts";
import { object } from "../schema.ts";
import { evaluator } from "./evaluate.ts";
import { collector } from "./findings.ts";
import { locate, nowhere } from "./tree.ts";
import { validate } from "./validate.ts";

/**
 * `value` as `fields` declare it, defaults written out; names as in a file (`r` for a `rank` with that
 * key). A wrong value is reported and its default stands in; the result is `undefined` where a field
 * without a default is missing or wrong. `name` is what findings call the place.
 */
export function parseFields<F extends Fields>(
  fields: F,
  value: unknown,
  name = "config",
): Checked<Infer<F> | undefined> {
  const { findings, report } = collector();
  const node = locate(value, nowhere(name));
  const root: Field<unknown> = object(fields, { doc: "" });
  const { evaluate } = evaluator(root, node, report);
  return { value: validate({ report, evaluate, placesOf: () => [] }, fields, node), findings };
}
