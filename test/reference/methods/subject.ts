/** @file Which row of the catalog a fixture or an exported adapter is evidence of. */
import { isRecord } from "../../../src/shared/wire.ts";
import type { MethodFixture } from "./fixture.ts";

/** Kind and name. An update rule, a schedule, a start or a sharing stands before the method that it is shown on. */
export function subjectOf({ subject, experiment }: MethodFixture): string {
  if (subject !== undefined) return subject;
  const { method, train } = experiment;
  const rule = named(isRecord(train) ? train["optimizer"] : undefined);
  const layers = named(isRecord(train) ? train["active_layers"] : undefined);
  if (layers !== undefined) return `active-layers ${layers}`;
  if (rule !== undefined) return `optimizer ${rule}`;
  return subjectOfMethod(method);
}

export function subjectOfMethod(method: unknown): string {
  const fields: unknown = Array.isArray(method) ? method[0] : method;
  const own = isRecord(fields) ? fields : {};
  const start = named(own["init"]);
  const sharing = named(own["sharing"]);
  if (start !== undefined) return `initialiser ${start}`;
  return sharing === undefined ? `method ${named(fields) ?? ""}` : `sharing ${sharing}`;
}

function named(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  return isRecord(value) && typeof value["type"] === "string" ? value["type"] : undefined;
}
