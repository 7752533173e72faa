/** @file What a PEFT method states about a linear site: its tensors, its pair or weight, and a faster forward where there is one. */
import type { Shape } from "../../shared/dtypes.ts";
import { invariant } from "../../shared/errors.ts";
import type { Fields, Infer, Values } from "../../shared/schema.ts";
import type { CatalogRow } from "../catalog-row.ts";
import { rowOf } from "../catalog-row.ts";
import type { Graph, Value } from "../core/graph.ts";
import { matmul } from "../core/ops.ts";
import { complete } from "../config.ts";
import type { PairStart } from "../initialisers/define.ts";
import type { TensorSpec } from "../models/architecture.ts";
import type { Hooks } from "./hooks.ts";
import type { Packing } from "./packing.ts";
import type { Pair } from "./pair.ts";
import type { PlacedMethod } from "./placed.ts";
import { mergedPair, pairForward } from "./pair.ts";
import type { Start } from "./start.ts";

/**
 * How a factor starts. `kaimingUniform: a` is U(±√(6 / ((1 + a²) fanIn))) and `kaimingNormal: a` is
 * N(0, 2 / ((1 + a²) fanIn)) over all but the first axis, as in PyTorch; `normal` is a deviation, `uniform` a bound.
 */
export type Init =
  | "zeros"
  | "ones"
  | { readonly kaimingUniform: number }
  | { readonly kaimingNormal: number }
  | { readonly normal: number }
  | { readonly uniform: number }
  | { readonly constant: number };

export interface ParamSpec {
  readonly shape: Shape;
  readonly init: Init;
  /** A frozen factor: read by programs, without gradient and optimizer state. */
  readonly trains?: false;
  /** All sites of one entry of `method` whose parameter has the same key share one tensor. */
  readonly key?: string;
  /** A frozen factor that is drawn again from the experiment's seed instead of being stored. */
  readonly stored?: false;
  /** One number that never moves: its gradient is what `gauge` of core/ops.ts measured, for hooks to take. */
  readonly gauge?: true;
  /** Indices; only frozen. Float32 where not given. */
  readonly dtype?: "int32";
}

/** Whether training moves it: what is frozen has no gradient, and that of a gauge only measures. */
export function learns({ trains, gauge }: ParamSpec): boolean {
  return trains !== false && gauge !== true;
}

/** The sizes of a site: W is [out, in]. */
export interface SiteShape {
  readonly in: number;
  readonly out: number;
}

/** What a method may know of a site before any weight is read. */
export interface Site extends SiteShape {
  /** The last part of its name: `q_proj`. */
  readonly kind: string;
  /** The largest sizes among the sites of the same entry of `method`. */
  readonly most: SiteShape;
  /** What a start's `allocate` gave it, where the method has no rank. */
  readonly allocated?: number;
}

/** The frozen base weight as an operator: a method reads of it only what it needs. */
export interface LinearBase extends SiteShape {
  /** x Wᵀ for x [rows, in]. */
  apply(g: Graph, x: Value): Value;
  /** y W for y [rows, out]. */
  applyT(g: Graph, y: Value): Value;
  /** ‖W_o‖² of each row [out], computed once. */
  rowNorms2(g: Graph): Value;
  /** W [out, in] in float32; costs a copy where the base is held in another form. */
  dense(g: Graph): Value;
}

/** What the site offers a method's forward beside the base. */
export interface SiteContext {
  /** x with the method's dropout applied, or x itself outside training and at rate 0. */
  dropout(x: Value): Value;
  /** Whether dropout changes anything in this program. */
  readonly drops: boolean;
  /** Whether the program is one of training, of which gradients are taken. */
  readonly trains: boolean;
}

type Params<P extends string> = { readonly [Name in P]: Value };

/** The tensors of a pair by what they are in s B core A. */
export interface Roles<P extends string> {
  readonly A: P;
  readonly B: P;
  readonly core?: P;
}

export interface LinearMethodDefinition<F extends Fields, P extends string> extends CatalogRow<F> {
  /** Each tensor's shape and start; an entry may be left out by the configuration. */
  params(site: Site, config: Infer<F>): { readonly [Name in P]: ParamSpec };
  /** s B core A that is added to W; merging, export and the forward pass follow from it. */
  pair?(g: Graph, params: Params<P>, config: Infer<F>, site: SiteShape): Pair;
  /** The definition: the whole weight W' [out, in]; W plus the pair where not given. */
  weight?(g: Graph, W: Value, params: Params<P>, config: Infer<F>, site: Site): Value;
  /** Whether `weight` stands in place of the pair under these fields; where not given it always does. */
  weighs?(config: Infer<F>): boolean;
  /** x W'ᵀ for x [rows, in], cheaper than by `weight` and otherwise than by `pair`. */
  forward?(
    g: Graph,
    x: Value,
    base: LinearBase,
    params: Params<P>,
    config: Infer<F>,
    ctx: SiteContext,
    site: Site,
  ): Value;
  /** The change as columns of W, which may stand in the weight itself while it trains. */
  readonly columns?: ColumnChange<NoInfer<P>, Infer<F>>;
  /** The layer's bias [out] as the method changes it. */
  bias?(g: Graph, b: Value, params: Params<P>, config: Infer<F>, site: Site): Value;
  /** What is done on the host around each step, made for each entry of `method`; undefined where its fields ask for nothing. */
  hooks?(config: Infer<F>): Hooks | undefined;
  /** How the pair starts from data where the file names no initialiser. */
  startPair?(config: Infer<F>): PairStart | undefined;
  /** What starts from data, after everything was drawn and after the pair. */
  start?(config: Infer<F>): Start | undefined;
  /** Which tensors an initialiser fills; only where every initialiser of pairs makes sense. */
  readonly roles?: Roles<NoInfer<P>>;
  /** Why the model is not the base's at step 0, where it is not. */
  readonly changesAtStart?: string;
  /** Suffixes of the tensors in an adapter file of peft, where peft has this method. */
  readonly peft?: PeftForm<NoInfer<P>>;
  /** Why neither peft nor a plain pair can hold it, where nothing but merged weights can. */
  readonly mergesOnly?: string;
}

/** W'[:, J] = W[:, J] + s D: the names of J, indices [count], and of D [out, count]. */
export interface ColumnChange<P extends string, C> {
  readonly places: P;
  readonly change: P;
  scale(config: C): number;
}

/** A method in peft: the suffix of each tensor's name. */
export interface PeftForm<P extends string> {
  readonly type: string;
  /** Of a module's own tensors; those without a name are no part of the file. */
  readonly tensors: { readonly [Name in P]?: string };
  /** Of tensors that all modules share. */
  readonly shared?: { readonly [Name in P]?: string };
  /** Whether peft takes the method at a module of this size; where it does not, a plain pair stands for it. */
  readonly holds?: (config: Values, site: SiteShape) => boolean;
  /** How a tensor is packed in the file, where its configuration asks for that. */
  readonly packing?: (param: string, shape: Shape, config: Values) => Packing | undefined;
  /** A tensor's shape in the file, where peft has axes of one. */
  readonly shapeOf?: (param: string, shape: Shape) => Shape;
  /** The fields of its configuration in peft, but for those that all have; of a type other than LORA. */
  readonly fields?: (config: Values, facts: PeftFacts) => Readonly<Record<string, unknown>>;
  /** The fields back from peft's; a word that is not understood stands in `unknown`. */
  readonly read?: (json: Readonly<Record<string, unknown>>) => {
    readonly config: Readonly<Record<string, unknown>>;
    readonly unknown?: string | undefined;
  };
  /** Its `rank_pattern` and `alpha_pattern`, where modules may differ in these; of a type other than LORA. */
  readonly patterns?: readonly ("r" | "alpha")[];
  /** `use_dora` of its LoraConfig. */
  readonly dora?: true;
}

/** What the fields of a method in peft may know of the adapted modules. */
export interface PeftFacts {
  /** As `target_modules` names them. */
  readonly targets: readonly string[];
  /** Whether their weights are stored as [in, out], GPT-2's way. */
  readonly fanInFanOut: boolean;
}

type Named = ReadonlyMap<string, Value>;

/** A method with its configuration for one site. */
export interface BoundMethod {
  readonly name: string;
  /** What it was bound to: the site's own rank and alpha where patterns vary them. */
  readonly config: Values;
  readonly params: (site: SiteShape & Partial<Site>) => ReadonlyMap<string, ParamSpec>;
  readonly weight: (g: Graph, W: Value, params: Named, kind?: string) => Value;
  readonly forward: (
    g: Graph,
    x: Value,
    base: LinearBase,
    params: Named,
    ctx: SiteContext,
    kind?: string,
  ) => Value;
  readonly pair: ((g: Graph, params: Named, site: SiteShape) => Pair) | undefined;
  /** Whether a low-rank pair says all that it does. */
  readonly hasPair: boolean;
  readonly bias:
    ((g: Graph, b: Value, params: Named, site: SiteShape, kind?: string) => Value) | undefined;
  readonly columns:
    { readonly places: string; readonly change: string; readonly scale: number } | undefined;
  readonly hooks: (() => Hooks) | undefined;
  /** From data, where the file names no initialiser: first the pair, then the rest. */
  readonly startPair: PairStart | undefined;
  readonly start: Start | undefined;
  readonly roles: Roles<string> | undefined;
}

/** A method as the catalog lists it. */
export interface LinearMethod extends CatalogRow {
  readonly kind: "linear";
  readonly peft: PeftForm<string> | undefined;
  readonly mergesOnly: string | undefined;
  readonly changesAtStart: string | undefined;
  readonly roles: Roles<string> | undefined;
  /** Binds the method to a configuration that the experiment's checks have passed. */
  readonly bind: (config: unknown) => BoundMethod;
}

/** Makes a catalog row of a definition: what is the same for all methods is written here, once. */
export function defineLinearMethod<F extends Fields, P extends string>(
  definition: LinearMethodDefinition<F, P>,
): LinearMethod {
  const { name, config: fields, peft, roles, changesAtStart, mergesOnly } = definition;
  return {
    kind: "linear",
    ...rowOf(definition),
    peft,
    mergesOnly,
    roles,
    changesAtStart,
    bind(given) {
      const config = complete(fields, given, name);
      const replaces = definition.weighs?.(config);
      const weighs = definition.weight !== undefined && replaces !== false;
      const pairs = definition.pair !== undefined && replaces !== true;
      const whole = (site: SiteShape & Partial<Site>): Site => ({
        in: site.in,
        out: site.out,
        kind: site.kind ?? "",
        most: site.most ?? site,
        ...(site.allocated === undefined ? {} : { allocated: site.allocated }),
      });
      const named = (values: Named, site: SiteShape): Params<P> => {
        const params: unknown = Object.fromEntries(values);
        const names = Object.keys(definition.params(whole(site), config));
        invariant(isParams<P>(params, names), `${name} lacks a tensor`);
        return params;
      };
      const pairOf = (g: Graph, params: Params<P>, site: SiteShape): Pair => {
        const pair = definition.pair?.(g, params, config, site);
        invariant(pair, `${name} states neither a weight nor a pair`);
        return pair;
      };
      const sized = ({ shape: [out = 1, width = 1] }: Value, kind: string): Site =>
        whole({ in: width, out, kind });
      const weight = (g: Graph, W: Value, params: Params<P>, site: Site): Value =>
        (weighs ? definition.weight?.(g, W, params, config, site) : undefined) ??
        mergedPair(g, W, pairOf(g, params, site));
      return {
        name,
        config,
        params: (site) =>
          new Map(Object.entries<ParamSpec>(definition.params(whole(site), config))),
        weight(g, W, params, kind = "") {
          const site = sized(W, kind);
          return weight(g, W, named(params, site), site);
        },
        forward(g, x, base, params, ctx, kind = "") {
          const site = whole({ in: base.in, out: base.out, kind });
          const own = named(params, site);
          if (definition.forward) return definition.forward(g, x, base, own, config, ctx, site);
          if (weighs) return matmul(g, x, weight(g, base.dense(g), own, site), { transB: true });
          return pairForward(g, x, base, pairOf(g, own, site), ctx);
        },
        hasPair: pairs && !weighs,
        pair: pairs ? (g, params, site) => pairOf(g, named(params, site), site) : undefined,
        bias:
          definition.bias &&
          ((g, b, params, site, kind = "") =>
            definition.bias?.(g, b, named(params, site), config, whole({ ...site, kind })) ?? b),
        columns: definition.columns && {
          ...definition.columns,
          scale: definition.columns.scale(config),
        },
        hooks:
          definition.hooks?.(config) &&
          (() => {
            const hooks = definition.hooks?.(config);
            invariant(hooks, `${name} has hooks`);
            return hooks;
          }),
        startPair: definition.startPair?.(config),
        start: definition.start?.(config),
        roles,
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
  /** peft's name of it, and of the module that peft puts into each module. */
  readonly peft?: { readonly type: string; readonly part: string };
}

/** A method that trains tensors of the model as they are. */
export interface TensorMethod extends TensorMethodDefinition {
  readonly kind: "tensors";
}

export function defineTensorMethod(definition: TensorMethodDefinition): TensorMethod {
  return { kind: "tensors", ...definition };
}

export type Method = LinearMethod | TensorMethod | PlacedMethod;
