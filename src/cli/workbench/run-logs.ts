/** @file What processes printed that an editor started: which log belongs to which run, and its end. */
import { open, readdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { unlessMissing } from "../../engine/runs/file-errors.ts";
import { logsFolder, runFolderLine } from "../../shared/workbench.ts";

const headBytes = 8192;
const tailBytes = 16_384;
/** Progress that a terminal would draw over itself says nothing afterwards. */
const lastLineCount = 12;

/** The log of a run's latest process, where it was started with one. */
export async function logOfRun(runFolder: string): Promise<string | undefined> {
  const folder = join(dirname(dirname(runFolder)), logsFolder);
  const names = (await unlessMissing(readdir(folder))) ?? [];
  // Their names begin with the time.
  for (const name of names
    .filter((each) => each.endsWith(".log"))
    .toSorted()
    .toReversed()) {
    const path = join(folder, name);
    if (runFolderLine.exec(await part(path, 0, headBytes))?.[1]?.trim() === runFolder) return path;
  }
  return undefined;
}

/** The last lines of a log. */
export async function lastLines(log: string): Promise<readonly string[]> {
  const size = (await unlessMissing(stat(log)))?.size ?? 0;
  const text = await part(log, Math.max(0, size - tailBytes), tailBytes);
  return text
    .split(/\r?\n|\r/)
    .map((line) => line.trimEnd())
    .filter((line) => line !== "")
    .slice(-lastLineCount);
}

async function part(path: string, from: number, bytes: number): Promise<string> {
  const file = await unlessMissing(open(path, "r"));
  if (file === undefined) return "";
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(bytes), 0, bytes, from);
    return buffer.toString("utf8", 0, bytesRead);
  } finally {
    await file.close();
  }
}
