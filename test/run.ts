/**
 * @file `npm test`: all groups, or those that are named; `--deep` adds the long tests, `--update-goldens` writes the
 * goldens anew, `--install` lets the tests of the editor install the system's packages that they lack.
 */
import { join } from "node:path";
import process from "node:process";
import { endRunningFiles } from "./runner/run-file.ts";
import { runTests } from "./runner/run-tests.ts";

/**
 * Cheapest first, but before the last of them the one with the longest file, beside which the last one's many run; a
 * group is a folder of `*.test.ts`, depth goes to `*.deep.ts`.
 */
const groups: readonly string[] = [
  "architecture",
  "unit",
  "conformance",
  "golden",
  "reference",
  "vscode",
  "process",
];

const root = join(import.meta.dirname, "..");
const options = process.argv.slice(2).filter((argument) => argument.startsWith("--"));
const chosen = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));
const unknown = [
  ...options.filter((option) => !["--deep", "--update-goldens", "--install"].includes(option)),
  ...chosen.filter((group) => !groups.includes(group)),
];

if (unknown.length > 0) {
  process.stderr.write(
    `${unknown.join(", ")}: there is no such group. The groups are ${groups.join(", ")}; --deep adds the long tests.\n`,
  );
  process.exitCode = 2;
} else {
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => {
      endRunningFiles();
      process.exit(130);
    });
  const update = options.includes("--update-goldens");
  const ok = await runTests({
    root,
    groups:
      chosen.length > 0
        ? groups.filter((group) => chosen.includes(group))
        : groups.filter((group) => !update || group === "golden"),
    deep: options.includes("--deep"),
    env: {
      ...process.env,
      ...(update ? { SPECTUNE_UPDATE_GOLDENS: "1" } : {}),
      ...(options.includes("--install") ? { SPECTUNE_INSTALL: "1" } : {}),
    },
    write: (text) => void process.stdout.write(text),
    now: () => performance.now(),
  });
  process.exitCode = ok ? 0 : 1;
}
