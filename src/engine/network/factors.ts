/** @file Frozen factors of methods on the host: what programs read beside the base, and pairs that were taken off it. */
import type { Shape } from "../../shared/dtypes.ts";
import { elementCount } from "../../shared/dtypes.ts";
import { invariant } from "../../shared/errors.ts";
import type { Backend, DeviceTensor } from "../runtime/backend.ts";

/** A frozen factor; those of several sites that share it are one. */
export interface Factor {
  /** Name in a checkpoint: module and factor, `model.layers.0.self_attn.q_proj#A`. */
  readonly name: string;
  readonly shape: Shape;
  readonly data: Float32Array | Int32Array;
  /** Whether checkpoints hold it: what is drawn from the seed alone is drawn again. */
  readonly stored: boolean;
}

export interface FactorSpec {
  readonly name: string;
  readonly shape: Shape;
  readonly dtype: "float32" | "int32";
  readonly stored: boolean;
}

export interface Factors {
  readonly all: ReadonlyMap<string, Factor>;
  get(name: string): Factor;
  /** Keeps a factor that no program reads. */
  add(name: string, shape: Shape, data: Float32Array): void;
  /** How often `data` was written since the start: copies on a device are then old. */
  version(name: string): number;
  changed(name: string): void;
  /** Bytes held. */
  bytes(): number;
}

/** All zero. */
export function createFactors(specs: readonly FactorSpec[]): Factors {
  const all = new Map<string, Factor>();
  const versions = new Map<string, number>();
  for (const { name, shape, dtype, stored } of specs) {
    const count = elementCount(shape);
    const data = dtype === "int32" ? new Int32Array(count) : new Float32Array(count);
    all.set(name, { name, shape, data, stored });
  }
  return {
    all,
    get(name) {
      const factor = all.get(name);
      invariant(factor, `there is no factor ${name}`);
      return factor;
    },
    add(name, shape, data) {
      invariant(data.length === elementCount(shape), `${name} is not of its shape`);
      all.set(name, { name, shape, data, stored: true });
    },
    version: (name) => versions.get(name) ?? 0,
    changed(name) {
      versions.set(name, (versions.get(name) ?? 0) + 1);
    },
    bytes: () => [...all.values()].reduce((sum, { data }) => sum + data.byteLength, 0),
  };
}

/** Names of the pair that was taken off a module's weight. */
export const subtractedNames = {
  A: (module: string) => `${module}#base.A`,
  /** With the scale in it. */
  B: (module: string) => `${module}#base.B`,
} as const;

/** Whether a name is that of a pair's part that was taken off a weight. */
export function isTaken(name: string): boolean {
  return name.endsWith("#base.A") || name.endsWith("#base.B");
}

/** Factors as programs read them: views, or copies that cross again when they were written. */
export function factorTensors(backend: Backend, factors: Factors): (name: string) => DeviceTensor {
  const made = new Map<string, { readonly tensor: DeviceTensor; readonly version: number }>();
  return (name) => {
    const version = factors.version(name);
    const known = made.get(name);
    if (known && (backend.sharesMemory || known.version === version)) return known.tensor;
    if (known) backend.release(known.tensor);
    const { shape, data } = factors.get(name);
    const tensor = backend.upload(data instanceof Int32Array ? "int32" : "float32", shape, data);
    made.set(name, { tensor, version });
    return tensor;
  };
}
