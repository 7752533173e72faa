/** @file What a check has to say about user text or stored data, as a value and never as a throw. */
import type { Place } from "./errors.ts";

export type Severity = "error" | "warning" | "info";

/** One remark: a stable kebab-case code, what was found, where, and how to mend it. */
export interface Finding {
  readonly code: string;
  readonly severity: Severity;
  readonly message: string;
  readonly place?: Place;
  readonly remedy?: string;
}

/** The result of reading or checking: as much of the value as could be had, and every remark. */
export interface Checked<T> {
  readonly value: T;
  readonly findings: readonly Finding[];
}

/** What must be mended before the value can be used. */
export function errorsOf<F extends Finding>(findings: readonly F[]): readonly F[] {
  return findings.filter(({ severity }) => severity === "error");
}

export function hasErrors(findings: readonly Finding[]): boolean {
  return errorsOf(findings).length > 0;
}
