/** @file Whether groups divide the matrices of a model, and which sizes near by do. */
import { UserError } from "../../shared/errors.ts";
import type { LinearSpec } from "../models/architecture.ts";

/** A {@link UserError} that names the nearest sizes of groups that divide all inputs, unless `group` does. */
export function requireWholeGroups(linears: readonly LinearSpec[], group: number): void {
  if (group <= 0) return;
  const odd = linears.find(({ in: inputs }) => inputs % group !== 0);
  if (!odd) return;
  const near = nearestSizes(
    linears.map(({ in: inputs }) => inputs),
    group,
  );
  throw new UserError({
    code: "groups-do-not-divide",
    message: `The ${odd.in} inputs of ${odd.module} are no whole groups of ${group}.`,
    remedy: `The nearest ${near.length === 1 ? "size that divides all matrices is" : "sizes that divide all matrices are"} ${near.join(" and ")}; with --layout spectune the last group may be short.`,
  });
}

/** The next smaller and the next larger common divisor, as far as there are. */
function nearestSizes(inputs: readonly number[], group: number): readonly number[] {
  const common = inputs.reduce((a, b) => greatestDivisor(a, b));
  const divisors = Array.from({ length: common }, (_, i) => i + 1).filter((d) => common % d === 0);
  const below = divisors.filter((divisor) => divisor < group).at(-1);
  const above = divisors.find((divisor) => divisor > group);
  return [below, above].filter((size) => size !== undefined);
}

function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b);
}
