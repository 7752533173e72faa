/** @file Trained tensors with their gradients and optimizer state, one stretch of memory for each tied set of a block. */
import type { Shape } from "../../shared/dtypes.ts";
import { elementCount } from "../../shared/dtypes.ts";
import { invariant } from "../../shared/errors.ts";

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

/** Elements of a span at most: the update's temporaries are a few times as large, and stay within reach of the caches. */
const spanElements = 1 << 18;

/** Lays out parameters, all zero: what is treated alike is one stretch of memory, cut into spans of 2¹⁸ elements. */
export function createParameters(
  specs: readonly ParameterSpec[],
  states: readonly string[],
): Parameters {
  const all = new Map<string, Parameter>();
  const spans: ParameterSpan[] = [];
  const places = new Map<
    string,
    { readonly stretch: number; readonly start: number; readonly count: number }
  >();
  const stateArrays: ReadonlyMap<string, Float32Array>[] = [];
  for (const { decays, count, members } of stretchesOf(specs)) {
    const weight = new Float32Array(count);
    const gradient = new Float32Array(count);
    const state = new Map(states.map((name) => [name, new Float32Array(count)]));
    let start = 0;
    for (const { name, shape } of members) {
      const size = elementCount(shape);
      invariant(!all.has(name), `parameter ${name} is declared twice`);
      const part = (array: Float32Array): Float32Array => array.subarray(start, start + size);
      all.set(name, { name, shape, decays, weight: part(weight), gradient: part(gradient) });
      places.set(name, { stretch: stateArrays.length, start, count: size });
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
      const array = place && stateArrays[place.stretch]?.get(stateName);
      invariant(place && array, `there is no state ${stateName} of ${name}`);
      return array.subarray(place.start, place.start + place.count);
    },
    zeroGradients() {
      for (const { gradient } of spans) gradient.fill(0);
    },
  };
}

/** The lengths that spans have, each once: an update is compiled for each. */
export function spanLengths(specs: readonly ParameterSpec[]): readonly number[] {
  const lengths = stretchesOf(specs).flatMap(({ count }) => [
    Math.min(count, spanElements),
    count % spanElements,
  ]);
  return [...new Set(lengths)].filter((length) => length > 0);
}

interface Stretch {
  readonly decays: boolean;
  readonly count: number;
  readonly members: readonly ParameterSpec[];
}

function stretchesOf(specs: readonly ParameterSpec[]): readonly Stretch[] {
  return [true, false].map((decays) => {
    const members = specs.filter((spec) => spec.decays === decays);
    const count = members.reduce((sum, { shape }) => sum + elementCount(shape), 0);
    return { decays, count, members };
  });
}
