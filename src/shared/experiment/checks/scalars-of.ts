/** @file Every single value that files say, with its path. */
import type { Located, Path, ScalarNode } from "../tree.ts";

export interface SaidScalar {
  readonly path: Path;
  readonly node: ScalarNode;
}

export function scalarsOf(node: Located, path: Path = []): readonly SaidScalar[] {
  switch (node.kind) {
    case "map":
      return node.entries.flatMap(({ key, value }) => scalarsOf(value, [...path, key]));
    case "list":
      return node.items.flatMap((item, index) => scalarsOf(item, [...path, String(index)]));
    case "null":
    case "bool":
    case "number":
    case "text":
      return [{ path, node }];
  }
}
