/** @file Reads an experiment file as what it says, unfilled, for what needs the document itself: sweeps and the queue. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { catalogFields } from "../engine/catalog.ts";
import { errorCode } from "../engine/runs/file-errors.ts";
import { UserError } from "../shared/errors.ts";
import type { Experiment } from "../shared/experiment/fields/experiment-fields.ts";
import type { Normalised } from "../shared/experiment/normalise.ts";
import { readExperiment } from "../shared/experiment/normalise.ts";
import { errorsOf } from "../shared/findings.ts";
import type { Console } from "./define.ts";
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
  const normalised = read(file, overrides, console);
  if (normalised === undefined)
    throw new UserError({
      code: "no-such-file",
      message: `There is no experiment file ${file}.`,
      remedy: "Give the path of a .peft.yaml file.",
    });
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
  return read(file, overrides, console)?.experiment?.sweep != null;
}

function read(
  file: string,
  overrides: readonly string[],
  { cwd }: Console,
): Normalised | undefined {
  const path = resolve(cwd, file);
  const text = textOf(path);
  if (text === undefined) return undefined;
  return readExperiment({
    file: path,
    text,
    catalog: catalogFields,
    provider: textOf,
    overrides,
  });
}

/** A file's text; undefined where there is none to be read. */
export function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (["ENOENT", "EISDIR", "ENOTDIR", "EACCES"].includes(errorCode(error) ?? ""))
      return undefined;
    throw error;
  }
}
