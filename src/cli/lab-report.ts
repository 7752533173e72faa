/** @file `--report FILE` of the lab's commands. */
import type { Arguments, Console } from "./define.ts";

export async function writeReport(
  args: Arguments,
  console: Console,
  _what: unknown,
): Promise<string | undefined> {
  await Promise.resolve();
  return args.text("report") === undefined ? undefined : console.cwd;
}
