/** @file Takes one optimizer step over all spans: the rule's program runs in place, span by span, after what the rule does on the host. */
import type { Linalg } from "../../../kernels/linalg/index.ts";
import type { Shape } from "../../shared/dtypes.ts";
import { elementCount } from "../../shared/dtypes.ts";
import { at, invariant } from "../../shared/errors.ts";
import { newGraph } from "../core/graph.ts";
import type { Graph } from "../core/graph.ts";
import { mul } from "../core/ops.ts";
import type { BoundRule, TensorFacts } from "../optimizers/define.ts";
import type { Backend, DeviceTensor } from "../runtime/backend.ts";
import type { Normals } from "./estimator.ts";
import { pieceLengths } from "./piece-lengths.ts";
import type { Parameter, Parameters, ParameterSpan, ParameterSpec } from "./parameters.ts";
import { spanLengths } from "./parameters.ts";
import type { ProgramCache } from "./program-cache.ts";

export interface Optimizer {
  /** One step; gradients are multiplied by `gradientScale` (clipping) first. t counts from 1. */
  step(step: OptimizerStep): Promise<void>;
  /** ‖g‖₂ over all parameters, or over those that `takes` names. */
  gradientNorm(takes?: TakesBlock): Promise<number>;
  zeroGradients(takes?: TakesBlock): void;
  /** Puts the rule's noise of step t on the weights, where it has one. */
  addNoise(t: number): void;
  /** Takes it off again, to the bit, and shows the rule the gradients. */
  removeNoise(): void;
}

/** Whether what belongs to a block alone is meant; undefined stands for what several blocks share. */
export type TakesBlock = (block: string | undefined) => boolean;

export interface OptimizerStep {
  readonly t: number;
  readonly lr: number;
  readonly gradientScale: number;
  /** Which blocks are updated; all where not given. */
  readonly takes?: TakesBlock | undefined;
  /** In how many steps a block was updated, with this one; t where not given, and for what several blocks share. */
  readonly updates?: ((block: string) => number) | undefined;
}

/** Names of the update program's inputs and outputs. */
export const updateNames = {
  state: (name: string) => `state.${name}`,
  number: (name: string) => `number.${name}`,
  next: (name: string) => `next.${name}`,
} as const;

/** The update of joined elements as a program, or of a tensor that the rule steps by its shape; also what the plan sizes. */
export function updateProgram(rule: BoundRule, shape: Shape, tensor?: TensorFacts): Graph {
  const g = newGraph();
  const input = (name: string, of: Shape): ReturnType<typeof g.input> =>
    g.input(name, "float32", of);
  const numbers = Object.keys(rule.numbers({ t: 1, lr: 1, decays: true }));
  const own = tensor && rule.own?.(tensor);
  const states = own ? [...own] : rule.state.map((name) => [name, shape] as const);
  const next = rule.step(
    g,
    {
      weight: input("weight", shape),
      gradient: mul(g, input("gradient", shape), input("gradientScale", [])),
      state: Object.fromEntries(
        states.map(([name, of]) => [name, input(updateNames.state(name), of)]),
      ),
      numbers: Object.fromEntries(
        numbers.map((name) => [name, input(updateNames.number(name), [])]),
      ),
    },
    own && tensor,
  );
  g.output(updateNames.next("weight"), next.weight);
  for (const [name] of states) {
    const value = next.state[name];
    if (value) g.output(updateNames.next(updateNames.state(name)), value);
  }
  return g;
}

/** Every program that updates these tensors take. */
export function updatePrograms(rule: BoundRule, specs: readonly ParameterSpec[]): readonly Graph[] {
  const sizes = specs.map(({ shape }) => elementCount(shape));
  const lengths = rule.estimate ? pieceLengths(sizes) : spanLengths(specs, rule);
  return [
    ...lengths.map((length) => updateProgram(rule, [length])),
    ...specs
      .filter((spec) => rule.own?.(spec))
      .map((spec) => updateProgram(rule, spec.shape, spec)),
  ];
}

/** What some rules need beside programs. */
export interface OptimizerTools {
  readonly linalg: () => Linalg;
  /** Of rules that draw. */
  readonly normals?: Normals;
}

/** Updates the host's arrays in place, span by span. */
export function createOptimizer(
  backend: Backend,
  cache: ProgramCache,
  parameters: Parameters,
  rule: BoundRule,
  { linalg, normals }: OptimizerTools,
): Optimizer {
  const number = (value: number): DeviceTensor =>
    backend.upload("float32", [], Float32Array.of(value));
  const bound = new Map(
    parameters.spans.map((span) => [span, boundSpan(backend, parameters, span)]),
  );
  const pairs = rule.pair ? pairsOf(parameters) : [];
  const { noise } = rule;
  const noisy = noise ? [...parameters.all.values()].filter(noise.takes) : [];
  const clean = new Map<string, Float32Array>();
  const stateOf = ({ name }: Parameter): ReadonlyMap<string, Float32Array> =>
    new Map([...parameters.statesOf(name)].map(([key, { data }]) => [key, data]));
  return {
    async step({ t: step, lr, gradientScale, takes = () => true, updates }) {
      for (const { A, B, scale } of pairs) {
        const block = A.blocks?.[0];
        if (!takes(block)) continue;
        const t = (block !== undefined && updates?.(block)) || step;
        await rule.pair?.(
          {
            ...{ rank: at(A.shape, 0), scale, t, gradientScale, state: stateOf(B) },
            ...{ A: A.weight, B: B.weight, gradientA: A.gradient, gradientB: B.gradient },
          },
          linalg(),
        );
      }
      const scaled = number(gradientScale);
      const scalars = new Map<string, readonly (readonly [string, DeviceTensor])[]>();
      const numbersOf = ({ decays, rate }: ParameterSpan, t: number) => {
        const key = `${decays} ${rate} ${t}`;
        const found =
          scalars.get(key) ??
          Object.entries(rule.numbers({ t, lr: lr * rate, decays })).map(
            ([name, value]) => [updateNames.number(name), number(value)] as const,
          );
        scalars.set(key, found);
        return found;
      };
      for (const [span, { feeds, into, copied }] of bound) {
        if (!takes(span.block)) continue;
        const { tensor, block } = span;
        const t = (block !== undefined && updates?.(block)) || step;
        if (tensor && rule.host && (t - 1) % rule.host.every === 0)
          await rule.host.run({ ...span, tensor, t, linalg: linalg() });
        const shape = tensor?.shape ?? [span.weight.length];
        const program = await cache.compile(updateProgram(rule, shape, tensor));
        const made = await program.run(
          new Map([...feeds, ["gradientScale", scaled], ...numbersOf(span, t)]),
          into,
        );
        for (const [name, data] of copied) {
          const next = made.get(name);
          if (!next) continue;
          const values = await backend.download(next);
          invariant(values instanceof Float32Array, `${name} is not float32`);
          data.set(values);
          if (!backend.sharesMemory) backend.release(next);
        }
      }
    },
    gradientNorm(takes = () => true) {
      let sum = 0;
      for (const { gradient, block } of parameters.spans)
        if (takes(block)) sum += sumOfSquares(gradient);
      return Promise.resolve(Math.sqrt(sum));
    },
    zeroGradients(takes) {
      parameters.zeroGradients(takes);
    },
    addNoise(t) {
      for (const parameter of noisy) {
        invariant(noise && normals, `${rule.name} draws numbers that it was not given`);
        const { name, weight } = parameter;
        clean.set(name, weight.slice());
        const drawn = new Float32Array(weight.length);
        normals(t, name, 0, drawn);
        const deviations = noise.deviations(weight, stateOf(parameter));
        const width = weight.length / deviations.length;
        for (let i = 0; i < weight.length; i++)
          weight[i] = at(weight, i) + at(deviations, Math.floor(i / width)) * at(drawn, i);
      }
    },
    removeNoise() {
      for (const parameter of noisy) {
        const before = clean.get(parameter.name);
        if (before) parameter.weight.set(before);
        noise?.observe(parameter.gradient, stateOf(parameter));
      }
      clean.clear();
    },
  };
}

interface BoundSpan {
  readonly feeds: readonly (readonly [string, DeviceTensor])[];
  /** What a program writes onto its own inputs. */
  readonly into: ReadonlyMap<string, DeviceTensor>;
  /** What it makes apart: a state that several of its operators read cannot be written under them. */
  readonly copied: ReadonlyMap<string, Float32Array>;
}

function boundSpan(backend: Backend, parameters: Parameters, span: ParameterSpan): BoundSpan {
  const { tensor, weight: data, gradient, state } = span;
  const shape = tensor?.shape ?? [data.length];
  const shapes = tensor && parameters.statesOf(tensor.name);
  const weight = backend.upload("float32", shape, data);
  const states = [...state].map(
    ([name, values]) =>
      [
        updateNames.state(name),
        backend.upload("float32", shapes?.get(name)?.shape ?? shape, values),
        values,
      ] as const,
  );
  // Where gradients are estimated no program reads them.
  const summed =
    gradient.length === data.length ? [backend.upload("float32", shape, gradient)] : [];
  return {
    feeds: [
      ["weight", weight],
      ...summed.map((x) => ["gradient", x] as const),
      ...states.map(([name, x]) => [name, x] as const),
    ],
    into: new Map([
      [updateNames.next("weight"), weight],
      ...(tensor ? [] : states.map(([name, x]) => [updateNames.next(name), x] as const)),
    ]),
    copied: new Map(
      tensor ? states.map(([name, , values]) => [updateNames.next(name), values] as const) : [],
    ),
  };
}

interface PairOfParameters {
  readonly A: Parameter;
  readonly B: Parameter;
  readonly scale: number;
}

/** The pairs among the parameters, those with nothing between A and B. */
function pairsOf(parameters: Parameters): readonly PairOfParameters[] {
  const sites = new Map<string, Map<string, Parameter>>();
  for (const parameter of parameters.all.values()) {
    if (!parameter.pair) continue;
    const { site, role } = parameter.pair;
    sites.set(site, (sites.get(site) ?? new Map<string, Parameter>()).set(role, parameter));
  }
  return [...sites.values()].flatMap((roles) => {
    const [A, B] = [roles.get("A"), roles.get("B")];
    return A && B && !roles.has("core") ? [{ A, B, scale: A.pair?.scale ?? 1 }] : [];
  });
}

/** Σ x² in float64, in a fixed order. */
function sumOfSquares(values: Float32Array): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return sum;
}
