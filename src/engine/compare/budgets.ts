/** @file Names budgets that are not equal between groups: then a difference of results may come from them. */
import type { Finding } from "../../shared/findings.ts";
import { mean } from "../../shared/sums.ts";
import type { RunGroup } from "./groups.ts";
import type { Budget } from "./run-facts.ts";

type Amount = keyof Budget;

const amounts: {
  readonly [Name in Amount]: {
    readonly code: string;
    readonly what: string;
    readonly slack: number;
  };
} = {
  // Other seeds cut a last, partial epoch elsewhere.
  tokens: { code: "unequal-tokens", what: "Trained tokens", slack: 0.005 },
  steps: { code: "unequal-steps", what: "Steps", slack: 0 },
  trainableParameters: { code: "unequal-parameters", what: "Trainable parameters", slack: 0 },
  tuningRuns: { code: "unequal-tuning", what: "Runs spent on tuning", slack: 0 },
};

/** The mean of a group's runs; `undefined` where none of them knows it. */
export function meanBudget({ runs }: RunGroup, name: Amount): number | undefined {
  const known = runs.flatMap(({ budget }) => budget[name] ?? []);
  return known.length === 0 ? undefined : mean(known);
}

/** A warning for each kind of budget that differs, with the extremes. */
export function unequalBudgets(groups: readonly RunGroup[]): readonly Finding[] {
  const names: readonly Amount[] = ["tokens", "steps", "trainableParameters", "tuningRuns"];
  return names.flatMap((name) => unequal(groups, name));
}

function unequal(groups: readonly RunGroup[], name: Amount): readonly Finding[] {
  const { code, what, slack } = amounts[name];
  const means = groups.map((group) => ({ label: group.label, mean: meanBudget(group, name) }));
  const known = means.flatMap(({ label, mean }) => (mean === undefined ? [] : [{ label, mean }]));
  if (known.length === 0) return [];
  if (known.length < means.length) {
    const without = means
      .filter(({ mean }) => mean === undefined)
      .map(({ label }) => `\`${label}\``);
    return [
      { code, severity: "warning", message: `${what} of ${without.join(", ")} are not known.` },
    ];
  }
  const sorted = known.toSorted((a, b) => a.mean - b.mean);
  const [least, most] = [sorted[0], sorted.at(-1)];
  if (least === undefined || most === undefined || most.mean <= least.mean * (1 + slack)) return [];
  const told = ({ label, mean }: { readonly label: string; readonly mean: number }) =>
    `\`${label}\` ${Math.round(mean).toLocaleString("en-US")}`;
  const times = least.mean > 0 ? ` (${(most.mean / least.mean).toPrecision(3)} times as many)` : "";
  return [
    {
      code,
      severity: "warning",
      message: `${what} are not equal: ${told(least)}, ${told(most)}${times}.`,
    },
  ];
}
