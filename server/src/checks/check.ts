/** @file What a check against the world around a document states: like those of the experiment itself, with facts beside. */
import type { Found } from "../../../src/shared/experiment/checks/check.ts";
import type { Experiment } from "../../../src/shared/experiment/fields/experiment-fields.ts";
import type { Fix } from "../../../src/shared/experiment/findings.ts";
import type { MapNode, Path } from "../../../src/shared/experiment/tree.ts";
import { nodeAt } from "../../../src/shared/experiment/tree.ts";
import type { Severity } from "../../../src/shared/findings.ts";
import type { Analysis } from "../analysis.ts";

/** One thing found; of several fixes the first is the likeliest. */
export interface FoundWithFixes extends Omit<Found, "fix"> {
  readonly fixes?: readonly Fix[];
}

/** What a check looks at: everything of an analysis, with the experiment there. */
export interface CheckContext extends Analysis {
  readonly experiment: Experiment;
  /** What the files say, in canonical names. */
  readonly document: MapNode;
}

export interface FactCheck {
  /** Stable, kebab-case, the name of its file. */
  readonly code: string;
  readonly severity: Severity;
  /** Why what it finds is a fault: one or two sentences for the table of checks. */
  readonly doc: string;
  readonly find: (ctx: CheckContext) => readonly FoundWithFixes[];
}

/** The path of a field of the method, which may stand in a list of several. */
export function methodPath({ experiment }: CheckContext, index: number, ...rest: Path): Path {
  return ["method", ...(experiment.method.length === 1 ? [] : [String(index)]), ...rest];
}

/** A fix that writes `text` for the value at `path`; none where the files do not say it. */
export function writing({ document }: CheckContext, path: Path, text: string): readonly Fix[] {
  const node = nodeAt(document, path);
  if (node === undefined || node.at.start === node.at.end) return [];
  const { source, start, end } = node.at;
  return [{ title: `Write \`${text}\``, edits: [{ file: source.file, start, end, text }] }];
}

/** Whether a method acts at linear layers, which `target_modules` names. */
export function hasTargets(
  { catalog }: CheckContext,
  { type }: { readonly type: string },
): boolean {
  return catalog.methods[type]?.omits?.includes("target_modules") !== true;
}

/** `3 entries`, `1 entry`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString("en-US")} ${count === 1 ? one : many}`;
}
