/** @file `sweep.match`: what must be equal between points, told by the plan before the first run. */
import type { CatalogFields } from "../../shared/experiment/fields/catalog-fields.ts";
import type { Sweep } from "../../shared/experiment/fields/experiment-fields.ts";
import { canonicalJson, plainExperiment } from "../../shared/experiment/serialise.ts";
import type { SweepPoint } from "../../shared/experiment/sweep.ts";
import { at } from "../../shared/errors.ts";
import type { Finding } from "../../shared/findings.ts";
import type { Json } from "../../shared/schema.ts";
import { flatten } from "../compare/flatten.ts";

/** What the plan of a point says. */
export interface PointNumbers {
  /** Trained tokens over the whole run, padding left out. */
  readonly tokens: number;
  readonly steps: number;
  readonly trainableParameters: number;
}

export type Match = Sweep["match"];

/** Whether anything must be equal, so that the points have to be planned. */
export function mustMatch({ tokens, steps, trainable_parameters: parameters }: Match): boolean {
  return tokens === "equal" || steps === "equal" || parameters !== "free";
}

/** An error for each group of points that differ where they must not; `numbers` belong to the points in order. */
export function checkMatch(
  points: readonly SweepPoint[],
  numbers: readonly PointNumbers[],
  { tokens, steps, trainable_parameters: parameters }: Match,
  catalog: CatalogFields,
): readonly Finding[] {
  const planned = points.map((point, index) => ({ point, numbers: at(numbers, index) }));
  const findings: Finding[] = [];
  if (tokens === "equal") findings.push(...unequal(planned, "tokens", "trained tokens", 0));
  if (steps === "equal") findings.push(...unequal(planned, "steps", "steps", 0));
  if (parameters === "free") return findings;
  const { across, tolerance } =
    parameters === "equal" ? { across: null, tolerance: 0 } : parameters;
  for (const group of groupsAcross(planned, across, catalog))
    findings.push(...unequal(group, "trainableParameters", "trainable parameters", tolerance));
  return findings;
}

interface Planned {
  readonly point: SweepPoint;
  readonly numbers: PointNumbers;
}

/**
 * Points that are the same but for the field `across` and what lies in it. Only fields that the sweep sets
 * count: what follows from `across` by an expression, such as `alpha: 2r`, differs with it.
 */
function groupsAcross(
  planned: readonly Planned[],
  across: string | null,
  catalog: CatalogFields,
): readonly (readonly Planned[])[] {
  if (across === null) return [planned];
  const set = new Set(planned.flatMap(({ point }) => Object.keys(point.overrides)));
  const others = [...set].filter((key) => key !== across && !key.startsWith(`${across}.`));
  const groups = new Map<string, Planned[]>();
  for (const each of planned) {
    const { overrides, experiment } = each.point;
    const fields = flatten(plainExperiment(experiment, catalog));
    const values = others.map((key): Json => {
      // A whole `method` has `across` in it: only whether the point sets it can be told.
      if (across.startsWith(`${key}.`)) return overrides[key] ?? null;
      const inner = [...fields].filter(([field]) => field === key || field.startsWith(`${key}.`));
      return Object.fromEntries(inner);
    });
    const identity = canonicalJson(values);
    groups.set(identity, [...(groups.get(identity) ?? []), each]);
  }
  return [...groups.values()];
}

/** How far numbers differ is told by the largest over the smallest. */
function unequal(
  planned: readonly Planned[],
  of: keyof PointNumbers,
  what: string,
  tolerance: number,
): readonly Finding[] {
  const sorted = planned.toSorted((a, b) => a.numbers[of] - b.numbers[of]);
  const [least, most] = [sorted[0], sorted.at(-1)];
  if (
    least === undefined ||
    most === undefined ||
    most.numbers[of] <= least.numbers[of] * (1 + tolerance)
  )
    return [];
  const allowed = tolerance === 0 ? "" : `, more than the ${100 * tolerance} % of \`tolerance\``;
  const told = ({ point, numbers }: Planned) =>
    `\`${point.label}\` has ${numbers[of].toLocaleString("en-US")}`;
  return [
    {
      code: "sweep-unequal-budget",
      severity: "error",
      message: `\`sweep.match\` wants equal ${what}: ${told(least)}, ${told(most)}${allowed}.`,
      remedy:
        "Change the points, or take this line out of `sweep.match`; `compare` names what differs in any case.",
    },
  ];
}
