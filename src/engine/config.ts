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

/** What fields are where nobody gives them: of files from before a field was there. */
export function defaultsOf({ config }: { readonly config: Fields }) {
  return Object.fromEntries(
    Object.entries(config).map(([name, field]) => [name, field.default] as const),
  );
}

function holds<F extends Fields>(fields: F, values: unknown): values is Infer<F> {
  if (typeof values !== "object" || values === null) return false;
  return Object.keys(fields).every((field) => field in values);
}
