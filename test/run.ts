/** @file Runs the test groups one after the other and prints how long each took. */
import { spawnSync } from "node:child_process";
import { existsSync, globSync } from "node:fs";
import { join } from "node:path";

/** The groups in order, cheapest first; a group is a folder of `*.test.ts`, depth goes to `*.deep.ts`. */
const groups = ["architecture", "unit", "conformance", "golden", "reference", "process", "field"] as const;

const root = join(import.meta.dirname, "..");
const deep = process.argv.includes("--deep");
const chosen = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));
const env = {
  ...process.env,
  ...(process.argv.includes("--update-goldens") ? { SPECTUNE_UPDATE_GOLDENS: "1" } : {}),
};

const failed: string[] = [];
const durations: string[] = [];
for (const group of groups.filter((name) => chosen.length === 0 || chosen.includes(name))) {
  const folder = join(root, "test", group);
  if (!existsSync(folder)) continue;
  const files = globSync(deep ? "**/*.{test,deep}.ts" : "**/*.test.ts", { cwd: folder })
    .toSorted()
    .map((file) => join(folder, file));
  if (files.length === 0) continue;
  const start = performance.now();
  const run = spawnSync(process.execPath, ["--test", "--test-reporter=dot", ...files], {
    stdio: "inherit",
    env,
    cwd: root,
  });
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  durations.push(`${group.padEnd(12)} ${seconds.padStart(7)} s  ${files.length} files`);
  if (run.status !== 0) failed.push(group);
}
process.stdout.write(`\n${durations.join("\n")}\n`);
if (failed.length > 0) {
  process.stdout.write(`failed: ${failed.join(", ")}\n`);
  process.exitCode = 1;
}
