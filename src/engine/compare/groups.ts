/** @file Runs that differ only in the seed belong together; what tells the groups apart, and their labels. */
import type { ConfigDifference } from "../../shared/comparison.ts";
import { at } from "../../shared/errors.ts";
import { inline } from "../../shared/experiment/describe.ts";
import { canonicalJson } from "../../shared/experiment/serialise.ts";
import type { Json } from "../../shared/schema.ts";
import { flatten } from "./flatten.ts";
import type { RunFacts } from "./run-facts.ts";

/** Sections that say where a run runs and what is told of it, not what it computes. */
const asides = ["version", "sweep", "checkpoints", "analyze", "report", "export", "run"];

export interface RunGroup {
  readonly label: string;
  readonly runs: readonly RunFacts[];
}

export interface Grouping {
  readonly groups: readonly RunGroup[];
  readonly differences: readonly ConfigDifference[];
}

/** Groups in the order of their first run, each with its runs in the order of their seeds. */
export function groupRuns(runs: readonly RunFacts[]): Grouping {
  const groups = new Map<
    string,
    { readonly fields: ReadonlyMap<string, Json>; readonly runs: RunFacts[] }
  >();
  for (const run of runs) {
    const fields = fieldsOf(run);
    const identity = canonicalJson(Object.fromEntries(fields));
    const group = groups.get(identity) ?? { fields, runs: [] };
    groups.set(identity, group);
    group.runs.push(run);
  }
  const all = [...groups.values()];
  const differences = differencesOf(all.map(({ fields }) => fields));
  const labels = labelsOf(differences, all.length);
  return {
    groups: all.map(({ runs: own }, index) => ({
      label: at(labels, index),
      runs: own.toSorted((a, b) => a.seed - b.seed),
    })),
    differences,
  };
}

function fieldsOf({ config }: RunFacts): ReadonlyMap<string, Json> {
  const sections = Object.entries(config).filter(([key]) => !asides.includes(key));
  const fields = [...flatten(Object.fromEntries(sections))];
  return new Map(fields.filter(([key]) => key !== "train.seed"));
}

function differencesOf(groups: readonly ReadonlyMap<string, Json>[]): readonly ConfigDifference[] {
  const fields = [...new Set(groups.flatMap((group) => [...group.keys()]))];
  return fields
    .map((field) => ({ field, values: groups.map((group) => group.get(field)) }))
    .filter(({ values }) => new Set(values.map(keyOf)).size > 1);
}

/**
 * Labels of the fields that have several values. A field that some groups lack, such as `r` of a method
 * without rank, follows from another one and is told only where the labels were equal otherwise.
 */
function labelsOf(differences: readonly ConfigDifference[], count: number): readonly string[] {
  const telling = differences.filter(
    ({ values }) => new Set(values.filter((value) => value !== undefined).map(keyOf)).size > 1,
  );
  const short = labelsBy(telling, count);
  const labels = new Set(short).size === count ? short : labelsBy(differences, count);
  const seen = new Map<string, number>();
  return labels.map((label) => {
    const times = (seen.get(label) ?? 0) + 1;
    seen.set(label, times);
    return times === 1 ? label : `${label} (${times})`;
  });
}

function labelsBy(differences: readonly ConfigDifference[], count: number): readonly string[] {
  const names = shortNames(differences.map(({ field }) => field));
  return Array.from({ length: count }, (_, group) => {
    const parts = differences.flatMap(({ values }, index) => {
      const value = values[group];
      return value === undefined ? [] : [`${at(names, index)}=${inline(value)}`];
    });
    return parts.length === 0 ? "all" : parts.join(" ");
  });
}

/** `method.r` is told as `r`, and `method.type` as `method`, unless another field would be told so. */
function shortNames(fields: readonly string[]): readonly string[] {
  const candidates = fields.map((field) => {
    const steps = field
      .split(".")
      .filter((step, index, all) => step !== "type" || index < all.length - 1);
    return steps.map((_, start) => steps.slice(steps.length - 1 - start).join("."));
  });
  return candidates.map((own, index) => {
    const free = own.find((name) =>
      candidates.every((others, other) => other === index || !others.includes(name)),
    );
    return free ?? at(fields, index);
  });
}

function keyOf(value: Json | undefined): string {
  return value === undefined ? "" : canonicalJson(value);
}
