/** @file Requests to a run through its folder: a file for each kind, consumed by the run. */
import { readFile, readdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { requestTypes, type RequestType, type RunRequest } from "../../shared/protocol.ts";
import { decodeRequest, encodeRequest } from "../../shared/protocol-wire.ts";
import { makeFolder, writeFileAtomic } from "./atomic.ts";
import { unlessMissing } from "./file-errors.ts";

/** The file by which `type` is asked for; asking twice before it is seen is asking once. */
export function requestFile(runFolder: string, type: RequestType): string {
  return join(runFolder, "requests", `${type}.json`);
}

/** Asks the given attempt of a run; a later attempt does not obey it. */
export async function writeRequest(
  runFolder: string,
  type: RequestType,
  attempt: number,
): Promise<void> {
  const path = requestFile(runFolder, type);
  await makeFolder(dirname(path));
  await writeFileAtomic(path, encodeRequest({ type, attempt }));
}

/**
 * The requests that have come for `attempt`, each given once; those for an earlier attempt and
 * damaged ones are removed. Looks at the folder's list alone while nothing is asked.
 */
export async function takeRequests(
  runFolder: string,
  attempt: number,
): Promise<readonly RunRequest[]> {
  const names = (await unlessMissing(readdir(join(runFolder, "requests")))) ?? [];
  const taken: RunRequest[] = [];
  for (const type of requestTypes) {
    const path = requestFile(runFolder, type);
    if (!names.includes(`${type}.json`)) continue;
    const line = await unlessMissing(readFile(path, "utf8"));
    await rm(path, { force: true });
    const { value } = decodeRequest(line ?? "", { file: path });
    if (value?.type === type && value.attempt === attempt) taken.push(value);
  }
  return taken;
}
