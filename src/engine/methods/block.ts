/** @file Methods at the parts of a layer, its attention and its feed-forward network: they see what goes in and what comes out. */
import type { Fields, Infer } from "../../shared/schema.ts";
import type { Graph, Value } from "../core/graph.ts";
import type { LinearLayer, PartName } from "../models/architecture.ts";
import type { BoundPlaceCommon, PlaceDefinition, PlaceRow, Read, Tensors } from "./place.ts";
import { bindPlace, placeRow, reader } from "./place.ts";

/** What a method may know of a part before any weight is read. */
export interface BlockSite {
  readonly part: PartName;
  /** Of the hidden state, which goes in and comes out. */
  readonly width: number;
  /** The part's linear layers in their order; what the last gives is what the part gives. */
  readonly linears: readonly {
    /** As {@link BlockRun.linear} knows it. */
    readonly name: string;
    /** The last part of its module's name: `gate_proj`. */
    readonly kind: string;
    readonly in: number;
    readonly out: number;
  }[];
}

/** One pass through a part. */
export interface BlockRun {
  /** [rows, width] */
  readonly input: Value;
  /** What the part makes of its input; `linear` stands in for its linear layers. */
  compute(linear?: LinearLayer): Value;
  /** A linear layer as it is, with whatever method acts there. */
  readonly linear: LinearLayer;
  /** 1 for rows of tokens, 0 for padding [rows, 1]. */
  realRows(): Value;
  /** Adds a scalar to the loss of the micro-batch, which is a mean over its tokens; in training alone. */
  addLoss(value: () => Value): void;
}

export interface BlockDefinition<F extends Fields, P extends string> extends PlaceDefinition<
  F,
  P,
  BlockSite
> {
  /** At which parts of a layer it acts. */
  parts(config: Infer<F>): readonly PartName[];
  /** What the part gives [rows, width] with the method. */
  forward(g: Graph, run: BlockRun, read: Read<P>, config: Infer<F>, site: BlockSite): Value;
}

export interface BoundBlock extends BoundPlaceCommon<BlockSite> {
  readonly kind: "block";
  readonly parts: readonly PartName[];
  readonly forward: (g: Graph, run: BlockRun, params: Tensors, site: BlockSite) => Value;
}

export interface BlockMethod extends PlaceRow {
  readonly kind: "block";
  readonly bind: (config: unknown) => BoundBlock;
}

export function defineBlockMethod<F extends Fields, P extends string>(
  definition: BlockDefinition<F, P>,
): BlockMethod {
  return {
    kind: "block",
    ...placeRow(definition),
    bind(given) {
      const { config, common } = bindPlace(definition, given);
      return {
        kind: "block",
        ...common,
        parts: definition.parts(config),
        forward: (g, run, params, site) =>
          definition.forward(g, run, reader(definition.name, params), config, site),
      };
    },
  };
}
