/** @file Tells which files a look has written, and how much of them was there before. */

import { dirname } from "node:path";

const mostTold = 5;

export function filesText(
  looks: readonly {
    readonly file: string;
    readonly reused: number;
    readonly records: readonly unknown[];
  }[],
  report: string,
): string {
  const files = looks.map(
    ({ file, reused, records }) =>
      `analysis  ${file}${reused === 0 ? "" : `  (${reused} of ${records.length} matrices from an earlier call)`}\n`,
  );
  // Of a sweep there are many: their folder says enough.
  const [first] = looks;
  const told =
    first === undefined || files.length <= mostTold
      ? files.join("")
      : `analysis  ${files.length} files in ${dirname(first.file)}\n`;
  return `\n${told}report    ${report}\n`;
}
