/** @file How a block is set up for a run: what is trained, how base weights are held, which method acts at which site. */
import type { Shape } from "../../shared/dtypes.ts";
import { dtypeBytes } from "../../shared/dtypes.ts";
import type { BlockSite } from "../methods/block.ts";
import type { BoundMethod, ParamSpec } from "../methods/define.ts";
import type { BoundPlace } from "../methods/placed.ts";
import type { Start } from "../methods/start.ts";
import type { InputRounding } from "./round-inputs.ts";
import type { BlockSpec, LinearSpec, Model, PartName } from "../models/architecture.ts";
import { lastPart } from "../models/module-names.ts";

/** How a base weight is held in memory. Only linear weights and embedding tables are held other than in float32. */
export type Storage =
  | { readonly type: "float32" | "float16" | "bfloat16" }
  | { readonly type: "nf4"; readonly blockSize: number; readonly doubleQuant: boolean }
  | PackedStorage;

/** As a quantizer packed it. */
export interface PackedStorage {
  readonly type: "packed";
  /** Of everything that is held of it. */
  readonly bytes: number;
  /** Where an operator multiplies by it as it is: bits of its codes, and inputs that share a scale. */
  readonly blocks?: { readonly bits: number; readonly group: number };
  /** The quantizer that packs it as the model is read; not given where the file holds it packed. */
  readonly by?: { readonly type: string; readonly config: unknown };
}

/** Bytes that `count` weights take when they are held so, their scales included. */
export function heldBytes(storage: Storage, count: number): number {
  if (storage.type === "packed") return storage.bytes;
  if (storage.type !== "nf4") return count * dtypeBytes[storage.type];
  const blocks = Math.ceil(count / storage.blockSize);
  const scales = storage.doubleQuant ? blocks + 4 * Math.ceil(blocks / 256) + 4 : 4 * blocks;
  return Math.ceil(count / 2) + scales;
}

/** Whether a weight is expanded before most products. */
export function isPacked({ type }: Storage): boolean {
  return type === "nf4" || type === "packed";
}

/** A method at one linear site. */
export interface SiteMethod {
  readonly method: BoundMethod;
  readonly params: ReadonlyMap<string, ParamSpec>;
  /** Share of the inputs set to zero in training. */
  readonly dropout: number;
  /** Under which tensors that several sites share are named: one for each entry of `method`. */
  readonly group?: string;
  /** What starts its tensors from data, in this order. */
  readonly starts?: readonly Start[];
  /** Whether the held weight has the method's columns in it while a run trains. */
  readonly carried?: boolean;
}

/** A method at a place of a block that is no linear site. */
export interface PlaceMethod {
  readonly method: BoundPlace;
  readonly params: ReadonlyMap<string, ParamSpec>;
  readonly group: string;
  /** The model as narrow as a side network is. */
  readonly narrow?: Model;
}

export interface BlockSetup {
  readonly spec: BlockSpec;
  /** Storage by tensor name; float32 where missing. */
  readonly storage: ReadonlyMap<string, Storage>;
  /** Names of the block's own tensors that train. */
  readonly trained: ReadonlySet<string>;
  /** Methods by the name of the linear site. */
  readonly sites: ReadonlyMap<string, SiteMethod>;
  /** Methods by the name of their place in the block: `tokens`. */
  readonly places?: ReadonlyMap<string, PlaceMethod>;
  /** How what the frozen weights of these linear sites read is rounded; as it is where not given. */
  readonly inputs?: { readonly rounding: InputRounding; readonly sites: ReadonlySet<string> };
}

/** A trained tensor of a block: one of its own, or a method's at a site. */
export interface TrainedTensor {
  /** Name within the block: `input_layernorm.weight`, `self_attn.q_proj#A`, or `shared#A` where sites share it. */
  readonly name: string;
  readonly shape: Shape;
  /** It has a gradient, which measures, and never moves. */
  readonly gauge?: true;
}

/** A method's tensor with its name within a block; sites of a block that share it have it once. */
export interface MethodTensor extends TrainedTensor {
  readonly spec: ParamSpec;
}

/** Name within a block of a method's tensor at a site. */
export function paramName(site: string, param: string): string {
  return `${site}#${param}`;
}

/** The same for tensors that may be shared. */
export function localName(
  site: string,
  { params, group = "shared" }: Pick<SiteMethod, "params" | "group">,
  param: string,
): string {
  const key = params.get(param)?.key;
  return key === undefined ? paramName(site, param) : paramName(group, key);
}

/** Name in the whole model of a trained tensor of a block: its source, the module with the factor, or the shared tensor. */
export function parameterName(spec: BlockSpec, name: string): string {
  const [site = "", param] = name.split("#");
  if (param === undefined)
    return spec.tensors.find((tensor) => tensor.name === name)?.source ?? name;
  const module = spec.linears.find((linear) => linear.name === site)?.module;
  return `${module ?? (isShared(site) ? site : `${spec.id}.${site}`)}#${param}`;
}

/** Under which tensors shared by the sites of an entry of `method` are named. */
export function groupName(index: number): string {
  return index === 0 ? "shared" : `shared.${index}`;
}

function isShared(site: string): boolean {
  return /^shared(?:\.\d+)?$/u.test(site);
}

/** Every tensor of a method in a block, trained and frozen, in a fixed order. */
export function methodTensors(setup: BlockSetup): readonly MethodTensor[] {
  const tensors = new Map<string, MethodTensor>();
  const add = (site: string, method: Pick<SiteMethod, "params" | "group">): void => {
    for (const [param, spec] of method.params) {
      const name = localName(site, method, param);
      tensors.set(name, { name, shape: spec.shape, spec });
    }
  };
  for (const { name } of setup.spec.linears) {
    const method = setup.sites.get(name);
    if (method) add(name, method);
  }
  for (const [place, method] of setup.places ?? []) add(place, method);
  return [...tensors.values()];
}

/** Everything that has a gradient in a block, in a fixed order. */
export function trainedTensors(setup: BlockSetup): readonly TrainedTensor[] {
  const own = setup.spec.tensors.filter(({ name }) => setup.trained.has(name));
  const params = methodTensors(setup).filter(({ spec }) => spec.trains !== false);
  return [
    ...own.map(({ name, shape }) => ({ name, shape })),
    ...params.map(({ name, shape, spec: { gauge } }) => ({ name, shape, ...(gauge && { gauge }) })),
  ];
}

/** Factors that programs read and that do not train. */
export function frozenFactors(setup: BlockSetup): readonly MethodTensor[] {
  return methodTensors(setup).filter(({ spec }) => spec.trains === false);
}

/** What a method may know of a part of a layer. */
export function blockSite(spec: BlockSpec, part: PartName, width: number): BlockSite {
  const names = spec.parts?.find(({ name }) => name === part)?.linears ?? [];
  const linears = names.flatMap((name) => {
    const linear = spec.linears.find((site) => site.name === name);
    return linear ? [{ name, kind: kindOf(linear), in: linear.in, out: linear.out }] : [];
  });
  return { part, width, linears };
}

/** What a site is called in its layer: `q_proj`. */
export function kindOf({ module }: Pick<LinearSpec, "module">): string {
  return lastPart(module);
}

/** The storage of a block's tensor. */
export function storageOf(setup: BlockSetup, tensor: string): Storage {
  return setup.storage.get(tensor) ?? { type: "float32" };
}
