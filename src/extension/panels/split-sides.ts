/** @file Tells the two texts of `generate --compare` apart as they come. */
import type { GenerateSide } from "../../shared/panels/generate.ts";

/** What the command line writes before each of two texts. */
const headings: readonly (readonly [heading: string, side: GenerateSide])[] = [
  ["── without the adapter ──\n", "base"],
  ["── with the adapter ──\n", "tuned"],
];

const longest = Math.max(...headings.map(([heading]) => heading.length));

/** Hands pieces on with the side that they belong to; a heading may come in two pieces. */
export function splitSides(
  compare: boolean,
  tell: (side: GenerateSide, text: string) => void,
): (text: string) => void {
  let side: GenerateSide = "tuned";
  let kept = "";
  return (text) => {
    if (!compare) {
      tell(side, text);
      return;
    }
    kept += text;
    for (;;) {
      const next = headings
        .map(([heading, its]) => ({ at: kept.indexOf(heading), heading, its }))
        .filter(({ at }) => at >= 0)
        .toSorted((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      if (next.at > 0) tell(side, kept.slice(0, next.at));
      side = next.its;
      kept = kept.slice(next.at + next.heading.length);
    }
    // What may be the beginning of a heading waits for the rest.
    let end = Math.max(0, kept.length - longest);
    while (!headings.some(([heading]) => heading.startsWith(kept.slice(end)))) end += 1;
    if (end > 0) tell(side, kept.slice(0, end));
    kept = kept.slice(end);
  };
}
