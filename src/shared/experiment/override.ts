/** @file How an override, `--set key=value`, is known by its source, and that it counts first. */
import type { Entry, Located } from "./tree.ts";

/** What the source of an override is called begins so. */
export const overrideMark = "--set ";

/** Whether an entry is of an override and something else stands `there`, be it said by another name. */
export function overrides({ value }: Entry, there: Located): boolean {
  const { source } = value.at;
  return source.file.startsWith(overrideMark) && source !== there.at.source;
}
