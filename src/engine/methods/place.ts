/** @file What methods at places other than linear layers have in common: their tensors, how they start, and how they leave. */
import { invariant } from "../../shared/errors.ts";
import type { Fields, Infer, Values } from "../../shared/schema.ts";
import type { CatalogRow } from "../catalog-row.ts";
import { rowOf } from "../catalog-row.ts";
import { complete } from "../config.ts";
import type { Value } from "../core/graph.ts";
import type { ModelSizes } from "../models/architecture.ts";
import type { ParamSpec } from "./define.ts";
import type { StartRandom } from "./start.ts";

/** What a start at a place may read: the model's embedding, its tokenizer, and the block's own tensors. */
export interface PlaceContext {
  readonly sizes: ModelSizes;
  readonly random: (name: string) => StartRandom;
  /** Rows of the table of words [ids, hidden], in float32. */
  readonly wordRows: (ids: Int32Array) => Promise<Float32Array>;
  readonly tokenize: (text: string) => Promise<Int32Array>;
  /** A tensor of the block, by its name within it, in our orientation and in float32. */
  readonly tensor: (name: string) => Promise<Float32Array>;
}

/** Fills tensors from what is there before the first step; the others stay as they were drawn. */
export type PlaceStart = (
  ctx: PlaceContext,
  params: ReadonlyMap<string, ParamSpec>,
) => Promise<ReadonlyMap<string, Float32Array | Int32Array>>;

/** What every definition at a place says; `S` is what it may know of its place. */
export interface PlaceDefinition<F extends Fields, P extends string, S> extends CatalogRow<F> {
  /** Each tensor's shape and start; an entry may be left out by the configuration. */
  params(site: S, config: Infer<F>): Readonly<Partial<Record<P, ParamSpec>>>;
  start?(config: Infer<F>): PlaceStart | undefined;
  /** Why the model is not the base's at step 0, where it is not. */
  readonly changesAtStart?: string;
  /** Why no weight of the model can hold it, where none can. */
  readonly staysApart?: string;
  /** Where peft has this method: its name there, and fields of its configuration that the model does not give. */
  readonly peft?: PlacePeft<Infer<F>>;
}

export interface PlacePeft<C> {
  readonly type: string;
  readonly fields: (config: C) => Readonly<Record<string, unknown>>;
}

export type Tensors = ReadonlyMap<string, Value>;

/** What is the same for the methods of all places; {@link BoundPlace} adds what each place needs. */
export interface BoundPlaceCommon<S> {
  readonly name: string;
  readonly config: Values;
  readonly params: (site: S) => ReadonlyMap<string, ParamSpec>;
  readonly start: PlaceStart | undefined;
  /** peft's name and fields. */
  readonly peft: { readonly type: string; readonly fields: Values } | undefined;
}

/** The row's part that all places share. */
export interface PlaceRow extends CatalogRow {
  readonly changesAtStart: string | undefined;
  readonly staysApart: string | undefined;
  readonly peftType: string | undefined;
}

export function placeRow<F extends Fields, P extends string, S>(
  definition: PlaceDefinition<F, P, S>,
): PlaceRow {
  const { changesAtStart, staysApart, peft } = definition;
  return { ...rowOf(definition), changesAtStart, staysApart, peftType: peft?.type };
}

/** A definition with a configuration that the experiment's checks have passed. */
export function bindPlace<F extends Fields, P extends string, S>(
  definition: PlaceDefinition<F, P, S>,
  given: unknown,
): { readonly config: Infer<F>; readonly common: BoundPlaceCommon<S> } {
  const { name, peft } = definition;
  const config = complete(definition.config, given, name);
  return {
    config,
    common: {
      name,
      config,
      params: (site) =>
        new Map(
          Object.entries<ParamSpec | undefined>(definition.params(site, config)).flatMap(
            ([param, spec]) => (spec ? [[param, spec] as const] : []),
          ),
        ),
      start: definition.start?.(config),
      peft: peft && { type: peft.type, fields: peft.fields(config) },
    },
  };
}

/** Reads tensors by name: one that the configuration left out must not be asked for. */
export function reader(method: string, values: Tensors): (name: string) => Value {
  return (name) => {
    const value = values.get(name);
    invariant(value, `${method} lacks the tensor ${name}`);
    return value;
  };
}

export type Read<P extends string> = (name: P) => Value;
