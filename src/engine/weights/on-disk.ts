/** @file What stands at a path; nothing, where it cannot be reached. */
import { statSync } from "node:fs";
import { stat } from "node:fs/promises";

export async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (facts) => facts.isFile(),
    () => false,
  );
}

/** At once, for the reading of an experiment, which is pure. */
export function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
