/** @file The greatest resident memory of a command in a process of its own. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const program = join(import.meta.dirname, "../../../src/cli/spectune.ts");
/** Writes the peak as the process ends, after its threads. */
const preload =
  'import{writeFileSync}from"node:fs";process.on("exit",()=>writeFileSync(process.env.PEAK_FILE,String(process.resourceUsage().maxRSS*1024)))';

/** In bytes; throws where the command fails. */
export function peakOf(args: readonly string[], cwd: string): number {
  const folder = mkdtempSync(join(tmpdir(), "spectune-peak-"));
  try {
    const file = join(folder, "peak");
    const { status } = spawnSync(
      process.execPath,
      ["--import", `data:text/javascript,${encodeURIComponent(preload)}`, program, ...args],
      { cwd, env: { ...process.env, PEAK_FILE: file }, stdio: ["ignore", "ignore", "inherit"] },
    );
    if (status !== 0) throw new Error(`spectune ${args.join(" ")}: code ${String(status)}`);
    return Number(readFileSync(file, "utf8"));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
