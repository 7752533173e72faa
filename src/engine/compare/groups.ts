/** @file Runs that differ only in the seed belong together; what tells the groups apart, and their labels. */
import type { ConfigDifference } from "../../shared/comparison.ts";
import { at } from "../../shared/errors.ts";
import { canonicalJson } from "../../shared/experiment/serialise.ts";
import type { Json } from "../../shared/schema.ts";
import { flatten } from "./flatten.ts";
import { distinct, labelsOf } from "./labels.ts";
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
  const fields = new Set(groups.flatMap((group) => [...group.keys()]));
  return [...fields]
    .filter((field) => !fields.has(`${field}.type`))
    .map((field) => ({ field, values: groups.map((group) => valueOf(group, field)) }))
    .filter(({ values }) => distinct(values) > 1);
}

/** A section that is null in one group and a map with a type in another, such as `quantization`, differs in that type. */
function valueOf(group: ReadonlyMap<string, Json>, field: string): Json | undefined {
  return group.get(field) ?? group.get(field.replace(/\.type$/, ""));
}
