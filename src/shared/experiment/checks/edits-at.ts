/** @file Fixes of checks, as edits of the files that say the fields. */
import { deletionOf, replace } from "../edits.ts";
import type { Fix } from "../findings.ts";
import type { Entry, MapNode, Path } from "../tree.ts";
import { entryOf, nodeAt } from "../tree.ts";

/** Gives the field at `path` another value, where a file says one. */
export function fixedValue(
  document: MapNode,
  path: Path,
  text: string,
): { readonly fix: Fix } | undefined {
  const node = nodeAt(document, path);
  if (node === undefined || node.at.start === node.at.end) return undefined;
  return { fix: { title: `Write \`${text}\``, edits: [replace(node.at, text)] } };
}

/** Takes the field at `path` out, where a file says it. */
export function removed(document: MapNode, path: Path): { readonly fix: Fix } | undefined {
  const owner = nodeAt(document, path.slice(0, -1));
  const entry = entryOf(owner, path.at(-1) ?? "");
  if (owner?.kind !== "map" || entry === undefined || !isWhole(owner, entry)) return undefined;
  return { fix: { title: `Remove \`${entry.key}\``, edits: deletionOf(owner, entry) } };
}

/** A map merged of several files has entries of each; only one that the same text holds can be cut out. */
function isWhole(owner: MapNode, { keyAt, value }: Entry): boolean {
  return (
    owner.at.source === keyAt.source &&
    value.at.source === keyAt.source &&
    keyAt.start >= owner.at.start &&
    keyAt.end > keyAt.start
  );
}
