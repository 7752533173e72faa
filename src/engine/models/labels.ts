/** @file How many outputs a classification head has, and what they are compared with. */
import type { HeadOutputs } from "./architecture.ts";
import type { ConfigReader } from "./config-reader.ts";

/** transformers' number of labels where config.json names none. */
const defaultLabels = 2;

/**
 * The outputs that `wanted` asks for, or else those of `id2label` or `num_labels` with `problem_type`, as
 * transformers decides: one label without a problem type is regression.
 */
export function readLabels(config: ConfigReader, wanted: HeadOutputs | undefined): HeadOutputs {
  const names = config.value("id2label");
  const named = typeof names === "object" && names !== null ? Object.keys(names).length : 0;
  const labels = named > 0 ? named : config.int("num_labels", defaultLabels);
  if (wanted) {
    config.value("problem_type");
    return wanted;
  }
  config.only(
    "problem_type",
    ["regression", "single_label_classification"],
    "an example has one class, or numbers.",
  );
  const problem = config.text("problem_type", labels === 1 ? "regression" : "");
  return { labels, target: problem === "regression" ? "values" : "classes" };
}
