/** @file The kinds of places other than linear layers at which methods act, one row each. */
import type { BlockMethod, BoundBlock } from "./block.ts";
import type { BoundPrefix, PrefixMethod } from "./prefix.ts";
import type { BoundRows, RowsMethod } from "./rows.ts";
import type { BoundSide, SideMethod } from "./side.ts";
import type { BoundTokens, TokensMethod } from "./tokens.ts";

/** A method at a place other than a linear layer. */
export type PlacedMethod = TokensMethod | PrefixMethod | BlockMethod | RowsMethod | SideMethod;

/** The same with its configuration. */
export type BoundPlace = BoundTokens | BoundPrefix | BoundBlock | BoundRows | BoundSide;

export function isPlaced(row: { readonly kind: string }): row is PlacedMethod {
  return row.kind !== "linear" && row.kind !== "tensors";
}
