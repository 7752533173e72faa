/** @file Refuses to write into a folder that holds something already. */
import { readdir } from "node:fs/promises";
import { UserError } from "../../shared/errors.ts";
import { errorCode } from "../runs/file-errors.ts";

/** A {@link UserError} unless nothing is there, or an empty folder. */
export async function requireNewFolder(folder: string): Promise<void> {
  let names: readonly string[];
  try {
    names = await readdir(folder);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return;
    names = ["a file"];
  }
  if (names.length === 0) return;
  throw new UserError({
    code: "output-exists",
    message: `${folder} is not empty: nothing was written.`,
    place: { file: folder },
    remedy: "Choose a folder that does not exist yet.",
  });
}
