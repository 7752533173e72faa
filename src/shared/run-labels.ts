/** @file What tells runs apart, in few words: the fields in which their experiments differ. */
import type { RunHead } from "./run-head.ts";
import type { Json } from "./schema.ts";

/** Sections that say where a run runs and what is told of it, not what it computes. */
const asides = /^(?:version|sweep|checkpoints|analyze|report|export|run|eval)\b/;

const most = 3;

/** For each run, by its folder: `r=8 learning_rate=0.001`; empty where nothing differs. */
export function runLabels(runs: readonly RunHead[]): ReadonlyMap<string, string> {
  // Only runs of one experiment are set against each other; their seeds come last.
  const byName = Map.groupBy(runs, ({ name }) => name);
  const labels = new Map<string, string>();
  for (const group of byName.values()) {
    const fields = [...new Set(group.flatMap(({ config }) => Object.keys(config)))]
      .filter((field) => !asides.test(field))
      .filter((field) => new Set(group.map(({ config }) => JSON.stringify(config[field]))).size > 1)
      .toSorted((a, b) => Number(a.endsWith(".seed")) - Number(b.endsWith(".seed")))
      .slice(0, most);
    for (const { folder, config } of group)
      labels.set(
        folder,
        fields
          .flatMap((field) => {
            const value = config[field];
            return value === undefined ? [] : [`${lastPart(field)}=${short(value)}`];
          })
          .join(" "),
      );
  }
  return labels;
}

function lastPart(field: string): string {
  return field.slice(field.lastIndexOf(".") + 1);
}

function short(value: Json): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > 24 ? `${text.slice(0, 23)}…` : text;
}
