/** @file What the operating system refuses, said so that the user can mend it. */
import type { Stats } from "node:fs";
import { stat } from "node:fs/promises";
import { UserError } from "../../shared/errors.ts";

interface Explanation {
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
}

/** What each refusal means; anything else is passed on as it is. */
const explanations: ReadonlyMap<string, Explanation> = new Map([
  ["ENOSPC", noSpace("no space is left on the device", "Free some space")],
  ["EDQUOT", noSpace("the disk quota is used up", "Free some space")],
  ["EFBIG", noSpace("files may not be so large here", "Raise the limit (`ulimit -f`)")],
  ["ELOOP", circle()],
  [
    "EROFS",
    {
      code: "read-only-folder",
      message: "the file system is read-only",
      remedy: "Choose a folder on a file system that can be written.",
    },
  ],
  ["EACCES", permission()],
  ["EPERM", permission()],
  [
    "ENAMETOOLONG",
    {
      code: "name-too-long",
      message: "its name is too long",
      remedy: "Choose a shorter name.",
    },
  ],
  [
    "EISDIR",
    {
      code: "is-a-folder",
      message: "a folder stands where a file is needed",
      remedy: "Give the name of a file, such as one in that folder.",
    },
  ],
  [
    "ENOENT",
    {
      code: "no-folder-here",
      message: "its folder is gone, or takes no files",
      remedy: "Choose a folder on a disk.",
    },
  ],
  ["ENOTDIR", notFolder()],
  ["EEXIST", notFolder()],
]);

/** The {@link UserError} for a refused write under `path`; other errors come back unchanged. */
export function writeError(error: unknown, path: string): unknown {
  const explanation = explanations.get(errorCode(error) ?? "");
  if (explanation === undefined) return error;
  return new UserError({
    code: explanation.code,
    message: `Cannot write ${path}: ${explanation.message}.`,
    place: { file: path },
    remedy: explanation.remedy + (explanation.code === "no-space-left" ? howToGoOn(path) : ""),
    cause: error,
  });
}

/** What to do once a disk has room again: for `path` in a run's folder, about the run. */
export function howToGoOn(path: string): string {
  const [, run] = /[\\/]\.spectune[\\/]runs[\\/]([^.\\/][^\\/]*)/.exec(path) ?? [];
  return run === undefined
    ? ", or choose a place on another disk, then give the command again."
    : `, or move the run folder to another disk, then go on: \`spectune run --resume ${run}\`.`;
}

/** That somebody has removed or moved the folder of a run that computes. */
export function runFolderGone(runFolder: string): UserError {
  return new UserError({
    code: "run-folder-gone",
    message: `The run ends: its folder ${runFolder} was removed or moved.`,
    place: { file: runFolder },
    remedy: "One that was moved is gone on with where it lies: `spectune run --resume PATH`.",
  });
}

/** A place where no folder can be made though the one above it is there, such as `/proc`. */
export function noFolderHere(path: string): UserError {
  return new UserError({
    code: "no-folder-here",
    message: `Cannot write ${path}: no folder can be made there.`,
    place: { file: path },
    remedy: "Choose a folder on a disk.",
  });
}

/** Runs `work` and turns a refused write into a {@link UserError} about `path`. */
export async function explainingWrites<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw writeError(error, path);
  }
}

/** The operating system's word for an error, e.g. `ENOENT`. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string"
    ? error.code
    : undefined;
}

/** `work`'s value, or `undefined` where the file or folder is not there. */
export async function unlessMissing<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw inCircle(error);
  }
}

const unreachable: ReadonlySet<string | undefined> = new Set([
  "ENOENT",
  "ENOTDIR",
  "EACCES",
  "ELOOP",
  "ENAMETOOLONG",
]);

/** What stands at a path that a user may have meant otherwise; `undefined` where nothing can be reached. */
export async function reachable(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if (isUnreachable(error)) return undefined;
    throw error;
  }
}

/** Whether an error says that nothing can be reached by a path. */
export function isUnreachable(error: unknown): boolean {
  return unreachable.has(errorCode(error));
}

/** Links that lead in a circle are the user's to mend; other errors come back unchanged. */
function inCircle(error: unknown): unknown {
  if (errorCode(error) !== "ELOOP") return error;
  const { code, message, remedy } = circle();
  const path =
    error instanceof Error && "path" in error && typeof error.path === "string" ? error.path : "";
  return new UserError({
    code,
    message: `Cannot read ${path}: ${message}.`,
    place: { file: path },
    remedy,
    cause: error,
  });
}

function circle(): Explanation {
  return {
    code: "links-in-a-circle",
    message: "its links lead in a circle",
    remedy: "Remove the link, or make it lead to a folder.",
  };
}

/** The remedy goes on with what to do about the run. */
function noSpace(message: string, remedy: string): Explanation {
  return { code: "no-space-left", message, remedy };
}

function notFolder(): Explanation {
  return {
    code: "not-a-folder",
    message: "a file stands where a folder is needed",
    remedy: "Move that file away or choose another folder.",
  };
}

function permission(): Explanation {
  return {
    code: "no-permission",
    message: "permission is denied",
    remedy: "Give yourself the right to write there, or choose another folder.",
  };
}
