/** @file The report that an analysis leaves: of its run or sweep, else of its own folder; `--report FILE` says where. */
import { dirname, resolve } from "node:path";
import {
  writeAnalysisReport,
  writeRunReport,
  writeSweepReport,
} from "../engine/lab/write-report.ts";
import { makeFolder } from "../engine/runs/atomic.ts";
import type { Arguments, Console } from "./define.ts";
import type { ChosenSides } from "./lab-options.ts";
import { version } from "./version.ts";

/** The file that was written. */
export async function writeReport(
  args: Arguments,
  console: Console,
  { runFolder, sweepFolder, place }: Pick<ChosenSides, "runFolder" | "sweepFolder" | "place">,
): Promise<string> {
  const asked = args.text("report");
  const file = asked === undefined ? undefined : resolve(console.cwd, asked);
  if (file !== undefined) await makeFolder(dirname(file));
  const options = { version, withoutText: args.flag("without-text"), now: Date.now(), file };
  if (sweepFolder !== undefined) return writeSweepReport(sweepFolder, options);
  if (runFolder !== undefined) return writeRunReport(runFolder, options);
  return writeAnalysisReport(place.folder, options);
}
