/** @file The oldest Node that is promised, where it is on a remote: from npm, once, kept beside the editor's server. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { keptFolder } from "../../../src/build/editor/code-server.ts";

/** Of the line 22, whose first with all that is used is 22.18. */
const version = "22.23.3";

const platform = process.platform === "win32" ? "win" : process.platform;
const name = `node-${platform}-${process.arch}`;
const folder = join(keptFolder, `node-${version}`);

/** Its executable, installed where it is not there yet: some 30 MB. */
export function installOlderNode(): string {
  const executable = join(
    folder,
    "node_modules",
    name,
    "bin",
    platform === "win" ? "node.exe" : "node",
  );
  if (existsSync(executable)) return executable;
  mkdirSync(keptFolder, { recursive: true });
  const made = mkdtempSync(join(keptFolder, "installing-"));
  try {
    writeFileSync(
      join(made, "package.json"),
      JSON.stringify({ private: true, dependencies: { [name]: version } }),
    );
    execFileSync(
      "npm",
      ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
      { cwd: made, stdio: ["ignore", "ignore", "inherit"], shell: platform === "win" },
    );
    // Whoever was first has made the same.
    if (!existsSync(folder)) renameSync(made, folder);
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
  return executable;
}
