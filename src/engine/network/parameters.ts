/** @file Trained tensors with their gradients and optimizer state, one stretch of memory for each tied set of a block. */
import type { Shape } from "../../shared/dtypes.ts";
import { elementCount } from "../../shared/dtypes.ts";
import { at, invariant } from "../../shared/errors.ts";

/** One trained tensor; tied tensors of several blocks are one parameter. */
export interface Parameter {
  /** Name in a checkpoint: the tensor's own, or module and factor: `model.layers.0.self_attn.q_proj#A`. */
  readonly name: string;
  readonly shape: Shape;
  /** Whether weight decay applies: to matrices, not to biases and norms, as in transformers. */
  readonly decays: boolean;
  readonly weight: Float32Array;
  /** Gradient summed over a step's micro-batches. */
  readonly gradient: Float32Array;
}

/** A stretch of equal treatment: all its elements take the same update. */
export interface ParameterSpan {
  readonly decays: boolean;
  readonly weight: Float32Array;
  readonly gradient: Float32Array;
  /** Optimizer state by name. */
  readonly state: ReadonlyMap<string, Float32Array>;
}

export interface Parameters {
  readonly all: ReadonlyMap<string, Parameter>;
  readonly spans: readonly ParameterSpan[];
  get(name: string): Parameter;
  /** The part of a state array that belongs to a parameter. */
  state(name: string, state: string): Float32Array;
  zeroGradients(): void;
  /** Number of trained elements. */
  readonly count: number;
}

/** What to make a parameter of. */
export interface ParameterSpec {
  readonly name: string;
  readonly shape: Shape;
  readonly decays: boolean;
}

/** Elements of a span at most: the update's temporaries are a few times as large. */
export const spanElements = 1 << 20;

/** Lays out parameters (all zero) so that as few spans as possible of at most 2²⁰ elements cover them. */
export function createParameters(
  specs: readonly ParameterSpec[],
  states: readonly string[],
): Parameters {
  const all = new Map<string, Parameter>();
  const spans: ParameterSpan[] = [];
  const places = new Map<
    string,
    { readonly group: number; readonly start: number; readonly count: number }
  >();
  const stateArrays: ReadonlyMap<string, Float32Array>[] = [];
  for (const decays of [true, false]) {
    for (const group of groupsOf(specs.filter((spec) => spec.decays === decays))) {
      const count = group.reduce((sum, { shape }) => sum + elementCount(shape), 0);
      const weight = new Float32Array(count);
      const gradient = new Float32Array(count);
      const state = new Map(states.map((name) => [name, new Float32Array(count)]));
      let start = 0;
      for (const { name, shape } of group) {
        const size = elementCount(shape);
        invariant(!all.has(name), `parameter ${name} is declared twice`);
        const part = (array: Float32Array): Float32Array => array.subarray(start, start + size);
        all.set(name, { name, shape, decays, weight: part(weight), gradient: part(gradient) });
        places.set(name, { group: stateArrays.length, start, count: size });
        start += size;
      }
      stateArrays.push(state);
      for (let from = 0; from < count; from += spanElements) {
        const cut = (array: Float32Array): Float32Array =>
          array.subarray(from, Math.min(count, from + spanElements));
        spans.push({
          decays,
          weight: cut(weight),
          gradient: cut(gradient),
          state: new Map([...state].map(([name, array]) => [name, cut(array)])),
        });
      }
    }
  }
  return {
    all,
    spans,
    count: [...all.values()].reduce((sum, { weight }) => sum + weight.length, 0),
    get(name) {
      const parameter = all.get(name);
      invariant(parameter, `there is no trained tensor ${name}`);
      return parameter;
    },
    state(name, stateName) {
      const place = places.get(name);
      const array = place && stateArrays[place.group]?.get(stateName);
      invariant(place && array, `there is no state ${stateName} of ${name}`);
      return array.subarray(place.start, place.start + place.count);
    },
    zeroGradients() {
      for (const { gradient } of spans) gradient.fill(0);
    },
  };
}

/** Small tensors joined up to a span's size; a larger one stands alone. */
function groupsOf(specs: readonly ParameterSpec[]): readonly (readonly ParameterSpec[])[] {
  const groups: ParameterSpec[][] = [];
  let room = 0;
  for (const spec of specs) {
    const size = elementCount(spec.shape);
    if (size > room || groups.length === 0) {
      groups.push([]);
      room = spanElements;
    }
    at(groups, groups.length - 1).push(spec);
    room -= size;
  }
  return groups;
}
