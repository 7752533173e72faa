/** @file What keeps weights from being read, said so that the user can mend it. */
import { constants, type BigIntStats } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { UserError } from "../../shared/errors.ts";
import type { Finding } from "../../shared/findings.ts";
import { errorsOf } from "../../shared/findings.ts";
import { errorCode } from "../runs/file-errors.ts";

/** Throws the first error among `findings`, with the number of the others. */
export function throwErrors(findings: readonly Finding[]): void {
  const errors = errorsOf(findings);
  const [first] = errors;
  if (first === undefined) return;
  const { code, message, place, remedy } = first;
  const more = errors.length - 1;
  const rest =
    more === 0
      ? ""
      : ` There ${more === 1 ? "is 1 more problem" : `are ${more} more problems`} of the kind.`;
  throw new UserError({
    code,
    message: `${message}${rest}`,
    ...(place === undefined ? {} : { place }),
    ...(remedy === undefined ? {} : { remedy }),
  });
}

/** Why the operating system refuses a read, and what to do; anything else is passed on. */
const refusals: ReadonlyMap<string, readonly [why: string, remedy: string]> = new Map([
  ["ENOENT", ["there is no such file", "Check the path, or fetch the model again."]],
  ["ENOTDIR", ["a file stands where a folder is needed", "Check the path."]],
  ["EACCES", ["permission is denied", "Give yourself the right to read it."]],
  ["EPERM", ["permission is denied", "Give yourself the right to read it."]],
  ["ELOOP", ["its links lead in a circle", "Fetch the model again."]],
  ["EIO", ["the disk cannot read it", "Fetch the model again, onto another disk."]],
  ["ESTALE", ["the network file system lost it", "Start again when the file system is back."]],
  ["EMFILE", ["too many files are open", "Raise the limit on open files (`ulimit -n`)."]],
  ["ENAMETOOLONG", ["the name is too long", "Check the path."]],
]);

/** Runs `work` and turns a refused read into a {@link UserError} about `file`. */
export async function explainingReads<T>(file: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const [why, remedy] = refusals.get(errorCode(error) ?? "") ?? [];
    if (why === undefined || remedy === undefined) throw error;
    throw new UserError({
      code: "weights-unreadable",
      message: `Cannot read ${file}: ${why}.`,
      place: { file },
      remedy,
      cause: error,
    });
  }
}

/** Opens a regular file to read it, and says what it is now; anything else is a {@link UserError}. */
export async function openToRead(
  file: string,
): Promise<{ readonly handle: FileHandle; readonly facts: BigIntStats }> {
  return explainingReads(file, async () => {
    // Without O_NONBLOCK, opening a named pipe would wait for a writer for ever; Windows has none.
    const nonBlocking = process.platform === "win32" ? 0 : constants.O_NONBLOCK;
    const handle = await open(file, constants.O_RDONLY | nonBlocking);
    try {
      const facts = await handle.stat({ bigint: true });
      if (!facts.isFile()) throw notAFile(file);
      return { handle, facts };
    } catch (error) {
      await handle.close();
      throw error;
    }
  });
}

function notAFile(file: string): UserError {
  return new UserError({
    code: "weights-unreadable",
    message: `${file} is not a file.`,
    place: { file },
    remedy: "Check the path.",
  });
}
