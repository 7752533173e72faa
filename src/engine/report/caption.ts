/** @file What every caption ends with: how many, which seeds, which version. */

export interface CaptionFacts {
  readonly version: string;
  /** Of the runs that are shown; empty where they are not known. */
  readonly seeds: readonly number[];
}

export function captionTail({ version, seeds }: CaptionFacts): string {
  const known =
    seeds.length === 0
      ? "n = 1, seed not recorded"
      : `n = ${seeds.length}, seed${seeds.length === 1 ? "" : "s"} ${seeds.join(", ")}`;
  return `${known}; spectune ${version}.`;
}
