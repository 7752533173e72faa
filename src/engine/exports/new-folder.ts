/** @file Refuses to write into a folder that holds something already. */
import { readdir } from "node:fs/promises";
import { UserError } from "../../shared/errors.ts";
import { requireWritable } from "../runs/atomic.ts";
import { reachable } from "../runs/file-errors.ts";

/** A {@link UserError} unless nothing is there, or an empty folder, and one can be made. */
export async function requireNewFolder(folder: string): Promise<void> {
  let names: readonly string[];
  try {
    names = await readdir(folder);
  } catch {
    names = (await reachable(folder)) ? ["a file"] : [];
  }
  if (names.length === 0) {
    await requireWritable(folder);
    return;
  }
  throw new UserError({
    code: "output-exists",
    message: `${folder} is not empty: nothing was written.`,
    place: { file: folder },
    remedy: "Choose a folder that does not exist yet.",
  });
}
