/** @file Gives a plug-in's configuration its type back after the experiment's checks. */
import type { Fields, Infer } from "../shared/schema.ts";

/** Whether every declared field is there. Types and bounds were checked when the experiment was read. */
export function holds<F extends Fields>(fields: F, values: unknown): values is Infer<F> {
  if (typeof values !== "object" || values === null) return false;
  return Object.keys(fields).every((field) => field in values);
}
