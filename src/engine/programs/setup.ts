/** @file How a block is set up for a run: what is trained, how base weights are held, which method acts at which site. */
import type { Shape } from "../../shared/dtypes.ts";
import { dtypeBytes } from "../../shared/dtypes.ts";
import type { BoundMethod, ParamSpec } from "../methods/define.ts";
import type { BlockSpec } from "../models/architecture.ts";

/** How a base weight is held in memory. Only linear weights and embedding tables are held other than in float32. */
export type Storage =
  | { readonly type: "float32" | "float16" | "bfloat16" }
  | { readonly type: "nf4"; readonly blockSize: number; readonly doubleQuant: boolean };

/** Bytes that `count` weights take when they are held so, their scales included. */
export function heldBytes(storage: Storage, count: number): number {
  if (storage.type !== "nf4") return count * dtypeBytes[storage.type];
  const blocks = Math.ceil(count / storage.blockSize);
  const scales = storage.doubleQuant ? blocks + 4 * Math.ceil(blocks / 256) + 4 : 4 * blocks;
  return Math.ceil(count / 2) + scales;
}

/** A method at one linear site. */
export interface SiteMethod {
  readonly method: BoundMethod;
  readonly params: ReadonlyMap<string, ParamSpec>;
  /** Share of the inputs set to zero in training. */
  readonly dropout: number;
}

export interface BlockSetup {
  readonly spec: BlockSpec;
  /** Storage by tensor name; float32 where missing. */
  readonly storage: ReadonlyMap<string, Storage>;
  /** Names of the block's own tensors that train. */
  readonly trained: ReadonlySet<string>;
  /** Methods by the name of the linear site. */
  readonly sites: ReadonlyMap<string, SiteMethod>;
}

/** A trained tensor of a block: one of its own, or a method's at a site. */
export interface TrainedTensor {
  /** Name within the block: `input_layernorm.weight`, `self_attn.q_proj#A`. */
  readonly name: string;
  readonly shape: Shape;
}

/** Name within a block of a method's tensor at a site. */
export function paramName(site: string, param: string): string {
  return `${site}#${param}`;
}

/** Name in the whole model of a trained tensor of a block: its source, or the module with the factor. */
export function parameterName(spec: BlockSpec, name: string): string {
  const [site = "", param] = name.split("#");
  if (param === undefined)
    return spec.tensors.find((tensor) => tensor.name === name)?.source ?? name;
  return `${spec.linears.find((linear) => linear.name === site)?.module ?? site}#${param}`;
}

/** Everything that trains in a block, in a fixed order. */
export function trainedTensors(setup: BlockSetup): readonly TrainedTensor[] {
  const own = setup.spec.tensors.filter(({ name }) => setup.trained.has(name));
  const params = setup.spec.linears.flatMap(({ name: site }) =>
    [...(setup.sites.get(site)?.params ?? [])].map(([param, { shape }]) => ({
      name: paramName(site, param),
      shape,
    })),
  );
  return [...own.map(({ name, shape }) => ({ name, shape })), ...params];
}

/** The storage of a block's tensor. */
export function storageOf(setup: BlockSetup, tensor: string): Storage {
  return setup.storage.get(tensor) ?? { type: "float32" };
}
