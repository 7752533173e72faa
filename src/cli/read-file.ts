/** @file Reads an experiment file for a command, and shows what its checks found. */
import { dirname, resolve } from "node:path";
import { catalogFields } from "../engine/catalog.ts";
import { UserError } from "../shared/errors.ts";
import type { Experiment } from "../shared/experiment/fields/experiment-fields.ts";
import type { ExperimentFinding } from "../shared/experiment/findings.ts";
import { inTextOrder } from "../shared/experiment/findings.ts";
import { readExperiment } from "../shared/experiment/normalise.ts";
import type { ExpandedSweep } from "../shared/experiment/sweep.ts";
import { expandSweep } from "../shared/experiment/sweep.ts";
import type { Finding } from "../shared/findings.ts";
import { errorsOf, hasErrors } from "../shared/findings.ts";
import type { Console } from "./define.ts";
import { experimentText, requireExperimentText } from "./experiment-text.ts";
import { messageText } from "./message-text.ts";

export interface ReadFile {
  /** Undefined where errors keep it from being used. */
  readonly experiment: Experiment | undefined;
  readonly findings: readonly ExperimentFinding[];
  /** Folder that its paths are relative to. */
  readonly folder: string;
  /** Undefined where it has no sweep. */
  readonly sweep: ExpandedSweep | undefined;
}

export type UsableExperiment = Pick<ReadFile, "folder" | "sweep"> & {
  readonly experiment: Experiment;
};

/** Reads FILE with `--set` overrides applied; a missing file is a UserError. */
export async function readExperimentFile(
  file: string,
  overrides: readonly string[],
  cwd: string,
): Promise<ReadFile> {
  const path = resolve(cwd, file);
  const read = readExperiment({
    file: path,
    text: await requireExperimentText(path, file),
    catalog: catalogFields,
    provider: experimentText,
    overrides,
  });
  const { experiment } = read;
  const sweep = experiment?.sweep == null ? undefined : expandSweep(read, catalogFields);
  const findings = inTextOrder([...read.findings, ...(sweep?.findings ?? [])], path);
  const failed = hasErrors(findings);
  return {
    experiment: failed ? undefined : experiment,
    findings,
    folder: dirname(path),
    sweep: sweep?.value,
  };
}

/** The experiment; prints its errors and warnings, and throws where any is an error. */
export async function usableExperiment(
  file: string,
  overrides: readonly string[],
  console: Console,
): Promise<UsableExperiment> {
  return shownExperiment(file, overrides, console, ["error", "warning"]);
}

/** As {@link usableExperiment} for a run's own record, whose warnings were said when the run began. */
export async function recordedExperiment(
  record: string,
  overrides: readonly string[],
  console: Console,
): Promise<UsableExperiment> {
  return shownExperiment(record, overrides, console, ["error"]);
}

async function shownExperiment(
  file: string,
  overrides: readonly string[],
  console: Console,
  shown: readonly Finding["severity"][],
): Promise<UsableExperiment> {
  const { experiment, findings, folder, sweep } = await readExperimentFile(
    file,
    overrides,
    console.cwd,
  );
  const errors = errorsOf(findings);
  for (const finding of findings)
    if (shown.includes(finding.severity)) console.err(findingText(finding));
  if (!experiment)
    throw new UserError({
      code: "invalid-experiment",
      message: `${file} has ${errors.length} error${errors.length === 1 ? "" : "s"}; nothing was run.`,
    });
  return { experiment, folder, sweep };
}

/** `file:line:column: severity: message [code]` and the remedy below. */
export function findingText({ severity, message, place, remedy, code }: Finding): string {
  return messageText(severity, { message, place, remedy, code });
}
