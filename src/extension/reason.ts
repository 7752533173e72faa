/** @file Why a call of the command line failed, from what it printed. */

/** The command line's own words: its error and remedy, without progress and warnings. */
export function reasonOf(errors: string): string {
  const lines = errors.split("\n").map((line) => line.slice(line.lastIndexOf("\r") + 1));
  const first = lines.findIndex((line) => /(?:^|: )error: /.test(line));
  const chosen = first < 0 ? lines.filter((line) => line !== "").slice(-3) : lines.slice(first);
  return chosen
    .map((line) => line.trim())
    .filter((line) => line !== "")
    .join(" ");
}
