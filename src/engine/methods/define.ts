/** @file What a PEFT method states about a linear site: its tensors, its weight, and a faster forward where there is one. */
import type { Shape } from "../../shared/dtypes.ts";
import { invariant } from "../../shared/errors.ts";
import type { Fields, Infer, Values } from "../../shared/schema.ts";
import type { CatalogRow } from "../catalog-row.ts";
import { rowOf } from "../catalog-row.ts";
import type { Graph, Value } from "../core/graph.ts";
import { matmul } from "../core/ops.ts";
import { complete } from "../config.ts";
import type { TensorSpec } from "../models/architecture.ts";

/** How a factor starts: `kaimingUniform: a` is U(±√(6 / ((1 + a²) fanIn))) over its last axis, as in PyTorch. */
export type Init =
  "zeros" | "ones" | { readonly kaimingUniform: number } | { readonly normal: number };

export interface ParamSpec {
  readonly shape: Shape;
  readonly init: Init;
}

/** The sizes of a site: W is [out, in]. */
export interface SiteShape {
  readonly in: number;
  readonly out: number;
}

/** The frozen base weight as an operator: a method reads of it only what it needs. */
export interface LinearBase extends SiteShape {
  /** x Wᵀ for x [rows, in]. */
  apply(g: Graph, x: Value): Value;
  /** W [out, in] in float32; costs a copy where the base is held in another form. */
  dense(g: Graph): Value;
}

/** What the site offers a method's forward beside the base. */
export interface SiteContext {
  /** x with the method's dropout applied, or x itself outside training and at rate 0. */
  dropout(x: Value): Value;
  /** Whether dropout changes anything in this program. */
  readonly drops: boolean;
}

type Params<P extends string> = { readonly [Name in P]: Value };

export interface LinearMethodDefinition<F extends Fields, P extends string> extends CatalogRow<F> {
  /** Each tensor's shape and start. */
  params(site: SiteShape, config: Infer<F>): { readonly [Name in P]: ParamSpec };
  /** The definition: the whole weight W' [out, in]. */
  weight(g: Graph, W: Value, params: Params<P>, config: Infer<F>): Value;
  /** x W'ᵀ for x [rows, in], cheaper than by `weight`. */
  forward?(
    g: Graph,
    x: Value,
    base: LinearBase,
    params: Params<P>,
    config: Infer<F>,
    ctx: SiteContext,
  ): Value;
  /** Suffixes of the tensors in an adapter file of peft. */
  readonly peft: { readonly type: string; readonly tensors: { readonly [Name in P]: string } };
}

/** A method with its configuration for one site. */
export interface BoundMethod {
  readonly name: string;
  /** What it was bound to: the site's own rank and alpha where patterns vary them. */
  readonly config: Values;
  readonly params: (site: SiteShape) => ReadonlyMap<string, ParamSpec>;
  readonly weight: (g: Graph, W: Value, params: ReadonlyMap<string, Value>) => Value;
  readonly forward: (
    g: Graph,
    x: Value,
    base: LinearBase,
    params: ReadonlyMap<string, Value>,
    ctx: SiteContext,
  ) => Value;
}

/** A method as the catalog lists it. */
export interface LinearMethod extends CatalogRow {
  readonly kind: "linear";
  readonly peft: { readonly type: string; readonly tensors: Readonly<Record<string, string>> };
  /** Binds the method to a configuration that the experiment's checks have passed. */
  readonly bind: (config: unknown) => BoundMethod;
}

/** Makes a catalog row of a definition: what is the same for all methods is written here, once. */
export function defineLinearMethod<F extends Fields, P extends string>(
  definition: LinearMethodDefinition<F, P>,
): LinearMethod {
  const { name, config: fields, peft } = definition;
  return {
    kind: "linear",
    ...rowOf(definition),
    peft,
    bind(given) {
      const config = complete(fields, given, name);
      const named = (values: ReadonlyMap<string, Value>): Params<P> => {
        const params: unknown = Object.fromEntries(values);
        invariant(isParams<P>(params, Object.keys(peft.tensors)), `${name} lacks a tensor`);
        return params;
      };
      return {
        name,
        config,
        params: (site) => new Map(Object.entries<ParamSpec>(definition.params(site, config))),
        weight: (g, W, params) => definition.weight(g, W, named(params), config),
        forward(g, x, base, params, ctx) {
          const own = named(params);
          return (
            definition.forward?.(g, x, base, own, config, ctx) ??
            matmul(g, x, definition.weight(g, base.dense(g), own, config), { transB: true })
          );
        },
      };
    },
  };
}

function isParams<P extends string>(
  params: unknown,
  names: readonly string[],
): params is Params<P> {
  return typeof params === "object" && params !== null && names.every((name) => name in params);
}

export interface TensorMethodDefinition extends CatalogRow {
  /** Whether a tensor of the model trains in place. */
  selects(tensor: TensorSpec): boolean;
}

/** A method that trains tensors of the model as they are. */
export interface TensorMethod extends TensorMethodDefinition {
  readonly kind: "tensors";
}

export function defineTensorMethod(definition: TensorMethodDefinition): TensorMethod {
  return { kind: "tensors", ...definition };
}

export type Method = LinearMethod | TensorMethod;
