/** @file The folder of the findings' runs, trained where it is not there, and commands called on it. */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { isRecord } from "../../../src/shared/wire.ts";

const repository = join(import.meta.dirname, "../../..");
const program = join(repository, "src/cli/spectune.ts");

/** A sweep of this folder, and the variable that may name a `.spectune` folder that holds its runs. */
const sweeps = {
  "sweep.peft.yaml": "SPECTUNE_FINDINGS",
  "only-b.peft.yaml": "SPECTUNE_ONLY_B",
} as const;

/** The `.spectune` folder that the variable names; without it, or where it has no runs, they are trained. */
export function trainedFolder(sweep: keyof typeof sweeps): string {
  const named = process.env[sweeps[sweep]];
  const folder = named ?? join(mkdtempSync(join(tmpdir(), "spectune-findings-")), ".spectune");
  if (existsSync(join(folder, "runs"))) return folder;
  // Runs lie in the nearest `.spectune` above their file, and the file names the sample from where it lies here.
  const root = dirname(folder);
  mkdirSync(folder, { recursive: true });
  const sample = "media/sample";
  cpSync(join(repository, sample), join(root, sample), { recursive: true });
  const file = join(root, "test/bench/findings", sweep);
  cpSync(join(import.meta.dirname, sweep), file);
  spectune(["run", file, "--json"], root);
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
