/** @file Trained tensors with their gradients and optimizer state, one stretch of memory for each set that is treated alike. */
import type { Shape } from "../../shared/dtypes.ts";
import { elementCount } from "../../shared/dtypes.ts";
import { at, invariant } from "../../shared/errors.ts";
import { sum } from "../../shared/sums.ts";
import type { StateLayout, TensorFacts } from "../optimizers/define.ts";

/** One trained tensor; tied tensors of several blocks are one parameter. */
export interface Parameter extends ParameterSpec {
  readonly weight: Float32Array;
  /** Gradient summed over a step's micro-batches; empty where gradients are estimated. */
  readonly gradient: Float32Array;
}

/** Elements of equal treatment, or one tensor that is stepped by itself. */
export interface ParameterSpan {
  readonly decays: boolean;
  /** What the learning rate is multiplied by. */
  readonly rate: number;
  /** The block that it belongs to alone, where blocks are told apart. */
  readonly block: string | undefined;
  readonly weight: Float32Array;
  readonly gradient: Float32Array;
  /** Optimizer state by name. */
  readonly state: ReadonlyMap<string, Float32Array>;
  /** The tensor, where it is stepped by its shape instead of element by element. */
  readonly tensor: Parameter | undefined;
}

/** A state array with its shape. */
export interface StateTensor {
  readonly shape: Shape;
  readonly data: Float32Array;
}

export interface Parameters {
  readonly all: ReadonlyMap<string, Parameter>;
  readonly spans: readonly ParameterSpan[];
  get(name: string): Parameter;
  /** The part of a state array that belongs to a parameter. */
  state(name: string, state: string): Float32Array;
  /** All state of a parameter. */
  statesOf(name: string): ReadonlyMap<string, StateTensor>;
  /** All, or those of the blocks that are taken. */
  zeroGradients(takes?: (block: string | undefined) => boolean): void;
  /** Number of trained elements. */
  readonly count: number;
  /** Numbers of the optimizer's state. */
  readonly stateCount: number;
}

/** What to make a parameter of. */
export interface ParameterSpec extends TensorFacts {
  /** Where it is used. */
  readonly blocks?: readonly string[];
}

export interface LayoutOptions {
  /** Whether every block is a stretch of its own: where blocks train by turns. */
  readonly byBlock?: boolean;
}

/** Elements of a span at most: the update's temporaries are a few times as large, and stay within reach of the caches. */
const spanElements = 1 << 18;

/** Lays out parameters, all zero: what is treated alike is one stretch of memory, cut into spans of 2¹⁸ elements. */
export function createParameters(
  specs: readonly ParameterSpec[],
  layout: StateLayout,
  options: LayoutOptions = {},
): Parameters {
  const all = new Map<string, Parameter>();
  const spans: ParameterSpan[] = [];
  const states = new Map<string, ReadonlyMap<string, StateTensor>>();
  const gradientOf = gradientMemory(specs, layout);
  for (const stretch of stretchesOf(specs, layout, options)) {
    const { members, count, state: names, own, ...treatment } = stretch;
    const weight = new Float32Array(count);
    const gradient = gradientOf(stretch);
    const state = new Map(names.map((name) => [name, new Float32Array(count)]));
    let start = 0;
    for (const spec of members) {
      const size = elementCount(spec.shape);
      invariant(!all.has(spec.name), `parameter ${spec.name} is declared twice`);
      const part = (array: Float32Array): Float32Array => array.subarray(start, start + size);
      all.set(spec.name, { ...spec, weight: part(weight), gradient: part(gradient) });
      const shaped = [...(own ?? []), ...(layout.beside?.(spec) ?? [])].map(
        ([name, shape]): [string, StateTensor] => [
          name,
          { shape, data: new Float32Array(elementCount(shape)) },
        ],
      );
      const cut = [...state].map(([name, array]): [string, StateTensor] => [
        name,
        { shape: spec.shape, data: part(array) },
      ]);
      states.set(spec.name, new Map([...cut, ...shaped]));
      start += size;
    }
    if (own) {
      const tensor = all.get(at(members, 0).name);
      const kept = [...(states.get(at(members, 0).name) ?? [])].filter(([name]) => own.has(name));
      const ofTensor = new Map(kept.map(([name, { data }]) => [name, data]));
      spans.push({ ...treatment, weight, gradient, state: ofTensor, tensor });
    } else
      for (let from = 0; from < count; from += spanElements) {
        const cut = (array: Float32Array): Float32Array =>
          array.subarray(from, Math.min(count, from + spanElements));
        spans.push({
          ...treatment,
          weight: cut(weight),
          gradient: cut(gradient),
          state: new Map([...state].map(([name, array]) => [name, cut(array)])),
          tensor: undefined,
        });
      }
  }
  // In the order in which they were declared, whatever the layout.
  const ordered = new Map(
    specs.flatMap(({ name }) => {
      const parameter = all.get(name);
      return parameter ? [[name, parameter] as const] : [];
    }),
  );
  const statesOf = (name: string): ReadonlyMap<string, StateTensor> => {
    const found = states.get(name);
    invariant(found, `there is no trained tensor ${name}`);
    return found;
  };
  return {
    all: ordered,
    spans,
    count: [...all.values()].reduce((sum, { weight }) => sum + weight.length, 0),
    stateCount: [...states.values()].reduce(
      (sum, own) => [...own.values()].reduce((part, { data }) => part + data.length, sum),
      0,
    ),
    get(name) {
      const parameter = all.get(name);
      invariant(parameter, `there is no trained tensor ${name}`);
      return parameter;
    },
    state(name, stateName) {
      const state = statesOf(name).get(stateName);
      invariant(state, `there is no state ${stateName} of ${name}`);
      return state.data;
    },
    statesOf,
    zeroGradients(takes = () => true) {
      for (const { gradient, block } of spans) if (takes(block)) gradient.fill(0);
    },
  };
}

/** Bytes of weights, gradients and state that {@link createParameters} allocates. */
export function layoutBytes(
  specs: readonly ParameterSpec[],
  layout: StateLayout,
): { readonly weights: number; readonly gradients: number; readonly state: number } {
  const stretches = stretchesOf(specs, layout, {});
  const weights = sum(stretches.map(({ count }) => count));
  const state = sum(
    stretches.flatMap(({ count, state: names, own, members }) => [
      count * names.length,
      ...[...(own ?? [])].map(([, shape]) => elementCount(shape)),
      ...members.flatMap((spec) =>
        [...(layout.beside?.(spec) ?? [])].map(([, shape]) => elementCount(shape)),
      ),
    ]),
  );
  const gradients =
    layout.gradients === "none"
      ? 0
      : layout.gradients === "consumed"
        ? sharedElements(stretches) +
          sum(stretches.filter(({ block }) => block === undefined).map(({ count }) => count))
        : weights;
  return { weights: 4 * weights, gradients: 4 * gradients, state: 4 * state };
}

/** The lengths that spans have, each once: an update is compiled for each. */
export function spanLengths(
  specs: readonly ParameterSpec[],
  layout: StateLayout,
): readonly number[] {
  const lengths = stretchesOf(specs, layout, {})
    .filter(({ own }) => own === undefined)
    .flatMap(({ count }) => [Math.min(count, spanElements), count % spanElements]);
  return [...new Set(lengths)].filter((length) => length > 0);
}

/** Gradient arrays: own ones, none, or one memory that blocks use by turns. */
function gradientMemory(
  specs: readonly ParameterSpec[],
  layout: StateLayout,
): (stretch: Stretch) => Float32Array {
  if (layout.gradients === "none") return () => new Float32Array(0);
  if (layout.gradients !== "consumed") return ({ count }) => new Float32Array(count);
  const shared = new Float32Array(sharedElements(stretchesOf(specs, layout, {})));
  const used = new Map<string, number>();
  return ({ block, count }) => {
    if (block === undefined) return new Float32Array(count);
    const start = used.get(block) ?? 0;
    used.set(block, start + count);
    return shared.subarray(start, start + count);
  };
}

/** Elements of the block that has most. */
function sharedElements(stretches: readonly Stretch[]): number {
  const blocks = new Map<string, number>();
  for (const { block, count } of stretches)
    if (block !== undefined) blocks.set(block, (blocks.get(block) ?? 0) + count);
  return Math.max(0, ...blocks.values());
}

interface Stretch {
  readonly decays: boolean;
  readonly rate: number;
  readonly block: string | undefined;
  readonly count: number;
  readonly members: readonly ParameterSpec[];
  /** State of each element. */
  readonly state: readonly string[];
  /** State of the one tensor, where it is stepped by its shape. */
  readonly own: ReadonlyMap<string, Shape> | undefined;
}

function stretchesOf(
  specs: readonly ParameterSpec[],
  layout: StateLayout,
  { byBlock = false }: LayoutOptions,
): readonly Stretch[] {
  const consumed = layout.gradients === "consumed";
  const groups = new Map<
    string,
    Omit<Stretch, "count" | "members"> & { members: ParameterSpec[] }
  >();
  // Those that decay first.
  for (const spec of [
    ...specs.filter(({ decays }) => decays),
    ...specs.filter(({ decays }) => !decays),
  ]) {
    const { decays, blocks } = spec;
    const rate = layout.rate?.(spec) ?? 1;
    // What blocks share trains with the first of them, and is complete with the last: where gradients are used up in one
    // memory for all, its own stays apart.
    const block = (consumed ? blocks?.length === 1 : byBlock) ? blocks?.[0] : undefined;
    const own = layout.own?.(spec);
    const key = own ? `one ${spec.name}` : JSON.stringify([decays, rate, block ?? null]);
    const group = groups.get(key) ?? {
      ...{ decays, rate, block, own, members: [] },
      state: own ? [] : layout.state,
    };
    group.members.push(spec);
    groups.set(key, group);
  }
  return [...groups.values()].map((group) => ({
    ...group,
    count: sum(group.members.map(({ shape }) => elementCount(shape))),
  }));
}
