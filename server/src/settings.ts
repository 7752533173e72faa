/** @file Edits that make a file say a field: in its place, in its section, or in a section of its own. */
import { insertionInto, replace } from "../../src/shared/experiment/edits.ts";
import type { Edit, Fix } from "../../src/shared/experiment/findings.ts";
import type { Path } from "../../src/shared/experiment/tree.ts";
import { entryOf, nodeAt } from "../../src/shared/experiment/tree.ts";
import type { Analysis } from "./analysis.ts";

/** A fix that sets `path` to `text` in the document itself; none where a short form stands in the way. */
export function settingFix(
  analysis: Analysis,
  path: Path,
  text: string,
  title: string,
): Fix | undefined {
  const edits = settingEdits(analysis, path, text);
  return edits === undefined ? undefined : { title, edits };
}

function settingEdits(
  { written, file }: Analysis,
  path: Path,
  text: string,
): readonly Edit[] | undefined {
  const root = written();
  const node = nodeAt(root, path);
  if (node !== undefined)
    return node.at.start < node.at.end
      ? [replace(node.at, text)]
      : [{ file, start: node.at.start, end: node.at.end, text: ` ${text}` }];
  for (let depth = path.length - 1; depth >= 0; depth -= 1) {
    const owner = depth === 0 ? root : nodeAt(root, path.slice(0, depth));
    if (owner === undefined) continue;
    if (owner.kind !== "map") return undefined;
    const [key = "", ...deeper] = path.slice(depth);
    const value = deeper.reduceRight((inner, step) => `{ ${step}: ${inner} }`, text);
    return insertionInto(owner, key, value);
  }
  return undefined;
}

/** Whether the document itself says a field. */
export function writes({ written }: Analysis, path: Path): boolean {
  const owner = nodeAt(written(), path.slice(0, -1)) ?? written();
  return entryOf(owner, path.at(-1) ?? "") !== undefined;
}
