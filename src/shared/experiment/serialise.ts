/** @file The experiment as a file with every default written out, and the text of its identity. */
import type { Json } from "../schema.ts";
import type { CatalogFields } from "./fields/catalog-fields.ts";
import type { Experiment } from "./fields/experiment-fields.ts";
import { experimentFields } from "./fields/experiment-fields.ts";
import { plainFields } from "./plain.ts";
import { writeYaml } from "./write-yaml.ts";

/** The experiment in the file's own terms, every field in the order of declaration. */
export function plainExperiment(
  experiment: Experiment,
  catalog: CatalogFields,
): Readonly<Record<string, Json>> {
  return plainFields(experimentFields(catalog), experiment);
}

/** YAML that reads back to the same experiment. */
export function serialise(experiment: Experiment, catalog: CatalogFields): string {
  return writeYaml(plainExperiment(experiment, catalog));
}

/**
 * What two runs of the same experiment have in common: canonical JSON (keys sorted, no white space) of
 * all but `run`. Its hash is the experiment's identity; the hashes of model and data stand beside it.
 */
export function identityText(experiment: Experiment, catalog: CatalogFields): string {
  const entries = Object.entries(plainExperiment(experiment, catalog));
  return canonicalJson(Object.fromEntries(entries.filter(([key]) => key !== "run")));
}

export function canonicalJson(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const entries = Object.entries<Json>(value).toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  const parts = entries.map(([key, inner]) => `${JSON.stringify(key)}:${canonicalJson(inner)}`);
  return `{${parts.join(",")}}`;
}
