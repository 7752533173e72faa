/** @file The numbers that the README's picture is drawn from, as they lie beside it. */
import { readFile, writeFile } from "node:fs/promises";
import { isRecord } from "../../shared/wire.ts";
import type { DrawnRun } from "./draw.ts";

/** What was run, and with which versions. */
export interface PictureNumbers {
  readonly versions: Readonly<Record<string, string>>;
  readonly runs: readonly DrawnRun[];
}

export async function writeNumbers(
  file: string,
  { versions, runs }: PictureNumbers,
): Promise<void> {
  const lines = runs.map((run) => `    ${JSON.stringify(run)}`);
  const text = `{\n  "versions": ${JSON.stringify(versions)},\n  "runs": [\n${lines.join(",\n")}\n  ]\n}\n`;
  await writeFile(file, text);
}

export async function readNumbers(file: string): Promise<readonly DrawnRun[]> {
  const json: unknown = JSON.parse(await readFile(file, "utf8"));
  const runs = isRecord(json) && Array.isArray(json["runs"]) ? json["runs"] : [];
  if (runs.length === 0 || !runs.every(isDrawnRun)) throw new Error(`${file} holds no runs.`);
  return runs;
}

function isDrawnRun(run: unknown): run is DrawnRun {
  return (
    isRecord(run) &&
    typeof run["name"] === "string" &&
    Array.isArray(run["losses"]) &&
    run["losses"].every((loss) => typeof loss === "number") &&
    ["trainableParameters", "before", "after"].every((name) => typeof run[name] === "number")
  );
}
