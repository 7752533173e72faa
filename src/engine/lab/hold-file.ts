/** @file One writer at a time for files that are gone on with: a mark beside them says which process it is. */
import { readFile, rm, writeFile } from "node:fs/promises";
import { UserError } from "../../shared/errors.ts";
import { isProblem, object, parseJson } from "../../shared/wire.ts";
import { errorCode, explainingWrites, unlessMissing } from "../runs/file-errors.ts";
import type { ProcessIdentity } from "../runs/process-identity.ts";
import { identityFields, lookAtProcess, thisProcess } from "../runs/process-identity.ts";

/**
 * Makes the mark `path`, and returns what takes it away again. The mark of a process that is dead is taken over; a
 * {@link UserError} where another one has it, or may have it. `what` is what it writes.
 */
export async function holdFile(path: string, what: string): Promise<() => Promise<void>> {
  const mark = JSON.stringify(thisProcess());
  for (;;) {
    const isOurs = await explainingWrites(path, () => made(path, mark));
    if (isOurs) return () => rm(path, { force: true });
    const text = await unlessMissing(readFile(path, "utf8"));
    if (text === undefined) continue;
    const owner = identityIn(text);
    const sign = owner === undefined ? "unknown" : lookAtProcess(owner);
    if (sign !== "dead") throw inUse(path, what, owner, sign === "alive");
    await rm(path, { force: true });
  }
}

async function made(path: string, mark: string): Promise<boolean> {
  try {
    await writeFile(path, mark, { flag: "wx" });
    return true;
  } catch (error) {
    if (errorCode(error) === "EEXIST") return false;
    throw error;
  }
}

const identity = object<ProcessIdentity>(identityFields, {});

function identityIn(text: string): ProcessIdentity | undefined {
  const found = identity(parseJson(text), "");
  return isProblem(found) ? undefined : found;
}

function inUse(
  path: string,
  what: string,
  owner: ProcessIdentity | undefined,
  isAlive: boolean,
): UserError {
  const who = owner === undefined ? "Another process" : `Process ${owner.pid} on ${owner.host}`;
  return new UserError({
    code: "analysis-in-use",
    message: `${who} is making ${what} at this moment.`,
    place: { file: what },
    remedy: isAlive
      ? "Wait until it has ended, then give the command again: it takes what is there."
      : `Wait until it has ended, then give the command again; if it was killed, remove ${path} first.`,
  });
}
