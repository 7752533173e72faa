/** @file `npm run check`: everything about the tree that shows without running it. */
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { Part } from "./check/run-parts.ts";
import { runParts } from "./check/run-parts.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
/** What is kept here makes a second check faster, never laxer. */
const cache = "node_modules/.cache/spectune";
const tsc = "node_modules/typescript/bin/tsc";

/** The longest first, so that the other lane has time for the rest. */
const parts: readonly Part[] = [
  { name: "lint", command: ["src/build/check/lint.ts", `${cache}/lint.json`] },
  { name: "types", command: [tsc, "-p", ".", ...incremental("types")] },
  { name: "types of pages", command: [tsc, "-p", "media", ...incremental("pages")] },
  { name: "types of kernels", command: [tsc, "-p", "kernels", ...incremental("kernels")] },
  { name: "docs", command: ["src/build/docs.ts", "--check"] },
  { name: "walls", command: ["test/run.ts", "architecture"] },
  {
    name: "format",
    command: [
      "node_modules/prettier/bin/prettier.cjs",
      ...["--check", ".", "--log-level", "warn"],
      ...["--cache", "--cache-strategy", "content", "--cache-location", `${cache}/prettier`],
    ],
  },
];

const failed = await runParts(parts, {
  root,
  write: (text) => void process.stdout.write(text),
  now: () => performance.now(),
});
process.exitCode = failed.length === 0 ? 0 : 1;

function incremental(name: string): readonly string[] {
  return ["--incremental", "--tsBuildInfoFile", join(cache, `${name}.tsbuildinfo`)];
}
