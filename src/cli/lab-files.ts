/** @file Tells which files a look has written, and how much of them was there before. */

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
  return `\n${files.join("")}report    ${report}\n`;
}
