/** @file An experiment whose paths mean the same from anywhere, for the run folder's record. */
import { resolve } from "node:path";
import type { Experiment } from "../../shared/experiment/fields/experiment-fields.ts";

/** Every path of the experiment from the root; `folder` is where they were relative to. A hub id stays as it is. */
export function withAbsolutePaths(
  experiment: Experiment,
  folder: string,
  isFolder: (path: string) => boolean,
): Experiment {
  const from = (path: string): string => resolve(folder, path);
  const fromMaybe = (path: string | null): string | null => (path === null ? null : from(path));
  const { data, model } = experiment;
  const { forgetting } = experiment.eval;
  return {
    ...experiment,
    model: isFolder(from(model.id)) ? { ...model, id: from(model.id) } : model,
    data: {
      ...data,
      train: from(data.train),
      eval: typeof data.eval === "string" ? from(data.eval) : data.eval,
      test: fromMaybe(data.test),
    },
    method: experiment.method.map((choice) => ({ ...choice, from: fromMaybe(choice.from) })),
    eval: {
      ...experiment.eval,
      forgetting: forgetting && { ...forgetting, text: from(forgetting.text) },
    },
  };
}
