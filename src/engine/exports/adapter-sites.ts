/** @file What each adapted module leaves as in an adapter file: its method's own tensors, or an exact plain pair. */
import { UserError, invariant } from "../../shared/errors.ts";
import type { Values } from "../../shared/schema.ts";
import { methods, rowNamed } from "../catalog.ts";
import { newGraph } from "../core/graph.ts";
import type { LinearMethod } from "../methods/define.ts";
import type { PackedPart } from "../methods/packing.ts";
import { foldedB } from "../methods/pair.ts";
import type { LinearSpec } from "../models/architecture.ts";
import { subtractedNames } from "../network/factors.ts";
import type { BlockSetup } from "../programs/setup.ts";
import type { Backend } from "../runtime/backend.ts";
import type { TensorToWrite } from "../weights/write-safetensors.ts";
import type { SiteOfBlock } from "./site-values.ts";
import { paramInputs, paramValue, siteOutput } from "./site-values.ts";
import type { ValueSources } from "./tensor-values.ts";
import { floatTensor } from "./tensor-values.ts";

export interface AdapterSources extends ValueSources {
  readonly backend: Backend;
}

/** A method at a module of the whole model. */
export interface AdaptedSite extends SiteOfBlock {
  readonly linear: LinearSpec;
  readonly row: LinearMethod;
}

/** A module in an adapter file of peft. */
export interface SiteForm {
  /** peft's name of the kind of adapter. */
  readonly type: string;
  /** Whether the tensors are a weight-decomposed pair. */
  readonly dora: boolean;
  /** r, alpha and use_rslora of a pair; the method's own fields otherwise. */
  readonly config: Values;
  /** Fields of it in which modules may differ. */
  readonly patterns: readonly ("r" | "alpha")[];
  readonly tensors: readonly TensorToWrite[];
  /** Those that all modules share. */
  readonly shared: readonly TensorToWrite[];
}

/** Whether a module leaves in its method's own form, where peft has one, or as a plain pair. */
export type Wish = "own" | "plain";

export function adaptedSites(setups: readonly BlockSetup[]): readonly AdaptedSite[] {
  return setups.flatMap((setup) =>
    setup.spec.linears.flatMap((linear) => {
      const site = setup.sites.get(linear.name);
      if (!site) return [];
      const row = rowNamed(methods, site.method.name);
      return row.kind === "linear" ? [{ setup, name: linear.name, site, linear, row }] : [];
    }),
  );
}

/** The first module that neither a type of adapter of peft can hold, by its size, nor a plain pair; undefined where all have a form. */
export function moduleWithoutForm(setups: readonly BlockSetup[]): string | undefined {
  return adaptedSites(setups).find(
    ({ site: { method }, row, linear }) =>
      row.peft?.holds?.(method.config, linear) === false && !method.hasPair,
  )?.linear.module;
}

/** `prefix` stands before each module's name. */
export function siteForm(
  sources: AdapterSources,
  at: AdaptedSite,
  prefix: string,
  wish: Wish,
): SiteForm {
  const { site, row, linear } = at;
  const { pair } = site.method;
  const taken = subtracted(sources, linear.module);
  const { config } = site.method;
  const held = row.peft?.holds?.(config, linear) ?? true;
  if (row.peft && held && (row.peft.type === "LORA" ? !taken : wish === "own"))
    return {
      type: row.peft.type,
      dora: row.peft.dora === true,
      ...{ config, patterns: row.peft.patterns ?? [] },
      tensors: [...site.params.keys()].flatMap((param) => namedTensor(sources, at, param, prefix)),
      shared: [...site.params.keys()].flatMap((param) => sharedTensor(sources, at, param)),
    };
  if (!pair || row.mergesOnly !== undefined)
    throw new UserError({
      code: "no-peft-form",
      message: `peft has no adapter for ${row.name}${row.mergesOnly === undefined ? "" : `: ${row.mergesOnly}`}.`,
      remedy: "Export the merged model: `export: [merged]`.",
    });
  const g = newGraph();
  const { A, scale } = pair(g, paramInputs(g, site), linear);
  const [rank = 0] = A.shape;
  const all = rank + (taken?.rank ?? 0);
  const { A: roleA, B: roleB } = row.roles ?? {};
  const beside = row.peft?.dora
    ? Object.keys(row.peft.tensors).filter((param) => param !== roleA && param !== roleB)
    : [];
  return {
    type: "LORA",
    dora: row.peft?.dora === true,
    // B holds the scale, so that a pair that was taken off needs none of its own.
    config: { r: all, alpha: all, use_rslora: false },
    patterns: [],
    shared: [],
    tensors: [
      lazyTensor(`${prefix}${linear.module}.lora_A.weight`, [all, linear.in], async () => {
        const own = await siteOutput(
          sources.backend,
          sources,
          at,
          new Map(),
          (graph, params) => pair(graph, params, linear).A,
        );
        return taken ? joined(own, taken.A) : own;
      }),
      lazyTensor(`${prefix}${linear.module}.lora_B.weight`, [linear.out, all], async () => {
        const own = await siteOutput(sources.backend, sources, at, new Map(), (graph, params) =>
          foldedB(graph, pair(graph, params, linear)),
        );
        return sideBySide(own, taken?.B, scale, rank, taken?.rank ?? 0);
      }),
      ...beside.flatMap((param) => namedTensor(sources, at, param, prefix)),
    ],
  };
}

interface TakenPair {
  readonly rank: number;
  /** [rank, in] */
  readonly A: Float32Array;
  /** [out, rank], with the scale in it. */
  readonly B: Float32Array;
}

/** The pair that was taken off the base. */
function subtracted({ factors }: AdapterSources, module: string): TakenPair | undefined {
  const A = factors.all.get(subtractedNames.A(module));
  const B = factors.all.get(subtractedNames.B(module));
  if (!(A?.data instanceof Float32Array) || !(B?.data instanceof Float32Array)) return undefined;
  return { rank: A.shape[0] ?? 0, A: A.data, B: B.data };
}

function namedTensor(
  sources: AdapterSources,
  at: AdaptedSite,
  param: string,
  prefix: string,
): readonly TensorToWrite[] {
  const suffix = new Map(Object.entries(at.row.peft?.tensors ?? {})).get(param);
  const name = suffix && `${prefix}${at.linear.module}.${suffix}`;
  return packedTensors(sources, at, param, name) ?? fileTensor(sources, at, param, name);
}

/** The parts of a tensor that the file holds packed. */
function packedTensors(
  sources: AdapterSources,
  at: AdaptedSite,
  param: string,
  name: string | undefined,
): readonly TensorToWrite[] | undefined {
  const { config } = at.site.method;
  const shape = at.site.params.get(param)?.shape ?? [];
  const packing = at.row.peft?.packing?.(param, shape, config);
  if (name === undefined || packing === undefined) return undefined;
  return packing.parts.map((part, index) => ({
    ...{ name: `${name}${part.suffix}`, dtype: part.dtype, shape: part.shape },
    *chunks() {
      const { data } = paramValue(sources, at, param);
      invariant(data instanceof Float32Array, `${param} holds no numbers`);
      yield bytesOf(part.dtype, packing.pack(data)[index] ?? []);
    },
  }));
}

function bytesOf(dtype: PackedPart["dtype"], numbers: readonly number[]): Uint8Array {
  const { buffer } = {
    float32: Float32Array,
    uint8: Uint8Array,
    int16: Int16Array,
    int32: Int32Array,
  }[dtype].from(numbers);
  return new Uint8Array(buffer);
}

function sharedTensor(
  sources: AdapterSources,
  at: AdaptedSite,
  param: string,
): readonly TensorToWrite[] {
  const name = new Map(Object.entries(at.row.peft?.shared ?? {})).get(param);
  return fileTensor(sources, at, param, name && `${sharedPrefix}${name}`);
}

/** Before the names of what all modules share. */
export const sharedPrefix = "base_model.";

function fileTensor(
  sources: AdapterSources,
  at: AdaptedSite,
  param: string,
  name: string | undefined,
): readonly TensorToWrite[] {
  if (name === undefined) return [];
  const { shape, data } = paramValue(sources, at, param);
  invariant(data instanceof Float32Array, `${param} holds no numbers`);
  return [floatTensor(name, at.row.peft?.shapeOf?.(param, shape) ?? shape, () => data)];
}

function lazyTensor(
  name: string,
  shape: readonly number[],
  values: () => Promise<Float32Array>,
): TensorToWrite {
  return {
    name,
    dtype: "float32",
    shape,
    async *chunks() {
      const data = await values();
      yield new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    },
  };
}

function joined(first: Float32Array, second: Float32Array): Float32Array {
  const both = new Float32Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}

/** [scale · B, −taken], row by row. */
function sideBySide(
  B: Float32Array,
  taken: Float32Array | undefined,
  scale: number,
  rank: number,
  more: number,
): Float32Array {
  const width = rank + more;
  const both = new Float32Array((B.length / rank) * width);
  for (let row = 0; row < B.length / rank; row++) {
    for (let k = 0; k < rank; k++) both[row * width + k] = scale * (B[row * rank + k] ?? 0);
    for (let k = 0; k < more; k++) both[row * width + rank + k] = -(taken?.[row * more + k] ?? 0);
  }
  return both;
}
