/** @file The run folder: where `.spectune/` lies, making a run, finding it again, listing what is there. */
import { mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { UserError } from "../../shared/errors.ts";
import { isTemporaryName, makeFolder, syncFolder, temporaryPath } from "./atomic.ts";
import { errorCode, explainingWrites, reachable, unlessMissing } from "./file-errors.ts";
import { runStatus, type RunStatus } from "./liveness.ts";

/** What lies in a run folder besides `events.ndjson`, `attempts/`, `requests/` and `checkpoints/`. */
export const runLayout = {
  /** The resolved experiment; a folder without it is no run. */
  experiment: "experiment.yaml",
  tensorboard: "tensorboard",
  adapter: "adapter",
  /** The same update as plain LoRA. */
  lora: "lora",
  merged: "merged",
  script: "script.py",
  analysis: "analysis",
  report: "report.html",
} as const;

/** `.spectune` in the nearest folder above `file` that has one or a `.git`, else beside the file. */
export async function findSpectuneFolder(file: string): Promise<string> {
  const beside = dirname(resolve(file));
  for (let folder = beside; ; folder = dirname(folder)) {
    for (const name of [".spectune", ".git"])
      if (await exists(join(folder, name))) return join(folder, ".spectune");
    if (dirname(folder) === folder) return join(beside, ".spectune");
  }
}

export interface NewRun {
  readonly name: string;
  /** Milliseconds since 1970; the folder's name begins with it, in UTC. */
  readonly time: number;
  /** The resolved experiment as YAML. */
  readonly experiment: string;
}

/**
 * Makes a run folder with its experiment, whole or not at all, under a name of its own even where
 * several processes do so at once. Returns its path.
 */
export async function createRun(spectuneFolder: string, run: NewRun): Promise<string> {
  const runs = runsFolder(spectuneFolder);
  return await explainingWrites(runs, async () => {
    await makeFolder(runs);
    const temporary = temporaryPath(join(runs, "run"));
    try {
      await mkdir(temporary);
      await writeFile(join(temporary, runLayout.experiment), run.experiment, { flush: true });
      await syncFolder(temporary);
      for (let again = 1; ; again += 1) {
        const path = join(runs, runId(run, again));
        // A rename cannot replace a folder that has a file, and every run has its experiment.
        if (!(await exists(path)) && (await renamed(temporary, path))) {
          await syncFolder(runs);
          return path;
        }
      }
    } catch (error) {
      await rm(temporary, { recursive: true, force: true });
      throw error;
    }
  });
}

/** A run as the list shows it. */
export interface ListedRun {
  /** The name of its folder. */
  readonly id: string;
  readonly folder: string;
  readonly status: RunStatus;
}

/** The runs of a `.spectune` folder, newest first. */
export async function listRuns(spectuneFolder: string, now: number): Promise<readonly ListedRun[]> {
  const runs = runsFolder(spectuneFolder);
  const listed: ListedRun[] = [];
  for (const id of ((await unlessMissing(readdir(runs))) ?? []).toSorted().toReversed()) {
    const folder = join(runs, id);
    if (isTemporaryName(id) || !(await exists(join(folder, runLayout.experiment)))) continue;
    listed.push({ id, folder, status: await runStatus(folder, now) });
  }
  return listed;
}

/**
 * The folder of a run that the user names: a path from `cwd`, or the name or the unambiguous part of a name of
 * a run in `spectuneFolder`. A {@link UserError} where there is none or several.
 */
export async function findRun(
  reference: string,
  spectuneFolder: string,
  cwd: string,
): Promise<string> {
  const path = resolve(cwd, reference);
  if (await exists(join(path, runLayout.experiment))) return path;
  const ids = (await listRuns(spectuneFolder, 0)).map(({ id }) => id);
  const matching = idsNamed(reference, ids);
  const [only, ...others] = matching;
  if (only !== undefined && others.length === 0) return join(runsFolder(spectuneFolder), only);
  const some = (only === undefined ? ids : matching).slice(0, 5).join(", ");
  throw new UserError({
    code: only === undefined ? "unknown-run" : "ambiguous-run",
    message:
      only === undefined
        ? `There is no run "${reference}" in ${runsFolder(spectuneFolder)}, and no run folder of that path.`
        : `"${reference}" is the name of ${matching.length} runs.`,
    remedy: `Give the path of a run folder${some === "" ? "; `spectune run FILE` makes one" : ` or one of: ${some}`}.`,
  });
}

/**
 * The ids of runs or sweeps that a user means: the one that is written in full, else those whose name it is, else
 * those that it is a part of. Written as in the experiment's file name, or as in the folder's.
 */
export function idsNamed(reference: string, ids: readonly string[]): readonly string[] {
  if (ids.includes(reference)) return [reference];
  const asked = [reference.normalize(), /[\\/]/.test(reference) ? "" : plainName(reference)];
  const named = ids.filter((id) => asked.includes(id.replace(/^\d{8}-\d{6}-/, "").normalize()));
  if (named.length > 0) return named;
  const parts = asked.filter((part) => part !== "");
  return ids.filter((id) => parts.some((part) => id.normalize().includes(part)));
}

export function runsFolder(spectuneFolder: string): string {
  return join(spectuneFolder, "runs");
}

/** `20260203-140509-name`, with a number behind it from the second try on. */
function runId({ name, time }: NewRun, again: number): string {
  const [day = "", clock = ""] = new Date(time).toISOString().split(/[T.]/);
  const stamp = `${day.replaceAll("-", "")}-${clock.replaceAll(":", "")}`;
  const plain = plainName(name);
  return `${stamp}-${plain === "" ? "run" : plain}${again === 1 ? "" : `-${again}`}`;
}

/** A name as a file name that serves everywhere. */
function plainName(name: string): string {
  return basename(name)
    .normalize()
    .replaceAll(/[^\p{L}\p{N}._-]+/gu, "-")
    .replaceAll(/^[-.]+|[-.]+$/g, "")
    .slice(0, 60);
}

async function renamed(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    if (["ENOTEMPTY", "EEXIST"].includes(errorCode(error) ?? "")) return false;
    // Windows answers so for a name that is taken, too.
    if (errorCode(error) === "EPERM" && (await exists(to))) return false;
    throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  return (await reachable(path)) !== undefined;
}
