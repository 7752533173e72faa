/** @file A Python-style regular expression as a tree, each leaf with the flags that hold where it stands. */

/** Python's `i`, `m`, `s`, `x` and `a`. */
export interface Flags {
  readonly ignoreCase: boolean;
  readonly multiline: boolean;
  readonly dotAll: boolean;
  readonly verbose: boolean;
  readonly ascii: boolean;
}

/** `d`, `s` or `w`, as the escapes call them. */
export type ClassName = "d" | "s" | "w";

/** A member of a set: characters by code point, ends included, or a class. */
export type Member =
  | { readonly kind: "range"; readonly from: number; readonly to: number }
  | { readonly kind: "class"; readonly name: ClassName; readonly negated: boolean };

export type AnchorName = "start" | "end" | "line-start" | "line-end" | "boundary" | "no-boundary";

export type Node =
  | {
      readonly kind: "set";
      readonly members: readonly Member[];
      readonly negated: boolean;
      readonly flags: Flags;
    }
  | { readonly kind: "any"; readonly flags: Flags }
  | { readonly kind: "anchor"; readonly name: AnchorName; readonly flags: Flags }
  | { readonly kind: "reference"; readonly group: number; readonly flags: Flags }
  | { readonly kind: "sequence"; readonly items: readonly Node[] }
  | { readonly kind: "branches"; readonly of: readonly Node[] }
  | { readonly kind: "group"; readonly index: number; readonly of: Node }
  | { readonly kind: "atomic"; readonly of: Node }
  | {
      readonly kind: "look";
      readonly behind: boolean;
      readonly negated: boolean;
      readonly of: Node;
    }
  | {
      readonly kind: "repeat";
      readonly min: number;
      /** Infinity where there is no end. */
      readonly max: number;
      readonly mode: "greedy" | "lazy" | "possessive";
      readonly of: Node;
    };

/** What cannot be read, and where in the expression. */
export interface Fault {
  readonly message: string;
  readonly offset: number;
}

/** Shortest and longest text that a node matches, in code points; `groups` are those of the groups so far. */
export function widthOf(node: Node, groups: ReadonlyMap<number, Width>): Width {
  switch (node.kind) {
    case "set":
    case "any":
      return [1, 1];
    case "anchor":
    case "look":
      return [0, 0];
    case "reference":
      return groups.get(node.group) ?? [0, Infinity];
    case "sequence":
      return node.items
        .map((item) => widthOf(item, groups))
        .reduce<Width>(([min, max], width) => [min + width[0], max + width[1]], [0, 0]);
    case "branches": {
      const widths = node.of.map((branch) => widthOf(branch, groups));
      return [Math.min(...widths.map(([min]) => min)), Math.max(...widths.map(([, max]) => max))];
    }
    case "group":
    case "atomic":
      return widthOf(node.of, groups);
    case "repeat": {
      const [min, max] = widthOf(node.of, groups);
      return [min * node.min, max === 0 ? 0 : max * node.max];
    }
  }
}

export type Width = readonly [min: number, max: number];
