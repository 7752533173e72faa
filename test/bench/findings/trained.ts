/** @file The folder of the findings' runs, trained where it is not there, and commands called on it. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { isRecord } from "../../../src/shared/wire.ts";

const program = join(import.meta.dirname, "../../../src/cli/spectune.ts");
const sweepFile = join(import.meta.dirname, "sweep.peft.yaml");

/** The `.spectune` folder that `SPECTUNE_FINDINGS` names; without it, or where it has no runs, they are trained. */
export function trainedFolder(): string {
  const folder =
    process.env["SPECTUNE_FINDINGS"] ??
    join(mkdtempSync(join(tmpdir(), "spectune-findings-")), ".spectune");
  if (!existsSync(join(folder, "runs"))) {
    mkdirSync(folder, { recursive: true });
    spectune(["run", sweepFile, "--json"], dirname(folder));
  }
  return folder;
}

/** The last line that a command prints, as JSON. */
export function spectune(args: readonly string[], cwd: string): Readonly<Record<string, unknown>> {
  const child = spawnSync(process.execPath, [program, ...args], {
    cwd,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
    maxBuffer: 2 ** 28,
  });
  const result: unknown = JSON.parse(child.stdout.trim().split("\n").at(-1) || "null");
  if (child.status !== 0 || !isRecord(result))
    throw new Error(`spectune ${args.join(" ")}: code ${String(child.status)}`);
  return result;
}
