/** @file The data files that an experiment names, with where it says so. */
import type { Experiment } from "../fields/experiment-fields.ts";

export interface NamedFile {
  readonly path: readonly string[];
  readonly file: string;
}

/** Training, evaluation and test data, then general text. */
export function dataFiles({ data, eval: { forgetting } }: Experiment): readonly NamedFile[] {
  return [
    { path: ["data", "train"], file: data.train },
    ...(typeof data.eval === "string" ? [{ path: ["data", "eval"], file: data.eval }] : []),
    ...(data.test === null ? [] : [{ path: ["data", "test"], file: data.test }]),
    ...(forgetting === null
      ? []
      : [{ path: ["eval", "forgetting", "text"], file: forgetting.text }]),
  ];
}
