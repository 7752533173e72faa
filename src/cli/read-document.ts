/** @file Reads an experiment file as what it says, unfilled, for what needs the document itself: sweeps and the queue. */
import { resolve } from "node:path";
import { catalogFields } from "../engine/catalog.ts";
import { UserError } from "../shared/errors.ts";
import type { Experiment } from "../shared/experiment/fields/experiment-fields.ts";
import type { Normalised } from "../shared/experiment/normalise.ts";
import { readExperiment } from "../shared/experiment/normalise.ts";
import { errorsOf } from "../shared/findings.ts";
import type { Console } from "./define.ts";
import { experimentText, usableText } from "./experiment-text.ts";
import { findingText } from "./read-file.ts";

/** A document without errors. */
export interface UsableDocument extends Normalised {
  readonly experiment: Experiment;
}

/** Reads FILE with overrides applied; prints its findings, and throws where any is an error. */
export function usableDocument(
  file: string,
  overrides: readonly string[],
  console: Console,
): UsableDocument {
  const path = resolve(console.cwd, file);
  const normalised = read(path, usableText(experimentText(path), path, file), overrides);
  const { experiment, findings } = normalised;
  for (const finding of findings)
    if (finding.severity !== "info") console.err(findingText(finding));
  const errors = errorsOf(findings).length;
  if (experiment === undefined || errors > 0)
    throw new UserError({
      code: "invalid-experiment",
      message: `${file} has ${errors} error${errors === 1 ? "" : "s"}; nothing was run.`,
    });
  return { ...normalised, experiment };
}

/** Whether FILE is an experiment with a sweep; what is wrong with it is for its reader to say. */
export function hasSweep(file: string, overrides: readonly string[], console: Console): boolean {
  const path = resolve(console.cwd, file);
  const text = experimentText(path);
  return typeof text === "string" && read(path, text, overrides).experiment?.sweep != null;
}

function read(path: string, text: string, overrides: readonly string[]): Normalised {
  const catalog = catalogFields;
  return readExperiment({ file: path, text, catalog, provider: experimentText, overrides });
}
