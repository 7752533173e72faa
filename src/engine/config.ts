/** @file Gives a plug-in's configuration its type back after the experiment's checks. */
import { invariant } from "../shared/errors.ts";
import type { Fields, Infer } from "../shared/schema.ts";

/**
 * The configuration of `owner`, in which every declared field must be there. Types and bounds were checked
 * when the experiment was read.
 */
export function complete<F extends Fields>(fields: F, values: unknown, owner: string): Infer<F> {
  invariant(holds(fields, values), `${owner} was given an incomplete configuration`);
  return values;
}

/** A row's fields as they are where nobody gives them, such as files from before a field was there. */
export function defaultsOf({
  config,
}: {
  readonly config: Fields;
}): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(config).map(([name, field]) => [name, field.default]));
}

function holds<F extends Fields>(fields: F, values: unknown): values is Infer<F> {
  if (typeof values !== "object" || values === null) return false;
  return Object.keys(fields).every((field) => field in values);
}
