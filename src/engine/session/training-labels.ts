/** @file The labels that a run's classifier was trained on, in the order of its outputs. */
import type { Experiment } from "../../shared/experiment/fields/experiment-fields.ts";
import { loadTokenizer } from "../data/tokenizer/load-tokenizer.ts";
import { labelsOfHead } from "./head.ts";
import type { OpenInference } from "./open-for-inference.ts";
import { openRunData } from "./run-data.ts";

/** Reads the training data again where the experiment does not list them; undefined for other tasks. */
export async function trainingLabels(
  experiment: Experiment,
  { opened, trained }: OpenInference,
): Promise<readonly string[] | undefined> {
  if (experiment.task !== "sequence-classification") return undefined;
  if (experiment.data.labels !== null) return experiment.data.labels;
  const tokenizer = await loadTokenizer(opened.resolved.folder);
  const { target } = await openRunData(
    {
      ...experiment,
      data: { ...experiment.data, eval: null, test: null },
      eval: { ...experiment.eval, forgetting: null },
    },
    trained.setup.model,
    tokenizer,
    { now: new Date(), headLabels: labelsOfHead(opened) },
  );
  return target?.kind === "class" ? target.names : undefined;
}
