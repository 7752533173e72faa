/** @file Takes one optimizer step over all spans: the rule's program runs in place, span by span. */
import type { Shape } from "../../shared/dtypes.ts";
import { newGraph } from "../core/graph.ts";
import type { Graph } from "../core/graph.ts";
import { mul } from "../core/ops.ts";
import type { BoundRule } from "../optimizers/define.ts";
import type { Backend, DeviceTensor } from "../runtime/backend.ts";
import type { Parameters, ParameterSpan } from "./parameters.ts";
import type { ProgramCache } from "./program-cache.ts";

export interface Optimizer {
  /** One step; gradients are multiplied by `gradientScale` (clipping) first. t counts from 1. */
  step(step: {
    readonly t: number;
    readonly lr: number;
    readonly gradientScale: number;
  }): Promise<void>;
  /** ‖g‖₂ over all parameters. */
  gradientNorm(): Promise<number>;
  zeroGradients(): void;
}

/** Names of the update program's inputs and outputs. */
export const updateNames = {
  state: (name: string) => `state.${name}`,
  number: (name: string) => `number.${name}`,
  next: (name: string) => `next.${name}`,
} as const;

/** The update of a tensor as a program; also what the plan sizes. */
export function updateProgram(rule: BoundRule, shape: Shape): Graph {
  const g = newGraph();
  const tensor = (name: string): ReturnType<typeof g.input> => g.input(name, "float32", shape);
  const single = (name: string): ReturnType<typeof g.input> => g.input(name, "float32", []);
  const numbers = Object.keys(rule.numbers({ t: 1, lr: 1, decays: true }));
  const next = rule.step(g, {
    weight: tensor("weight"),
    gradient: mul(g, tensor("gradient"), single("gradientScale")),
    state: Object.fromEntries(rule.state.map((name) => [name, tensor(updateNames.state(name))])),
    numbers: Object.fromEntries(numbers.map((name) => [name, single(updateNames.number(name))])),
  });
  g.output(updateNames.next("weight"), next.weight);
  for (const name of rule.state) {
    const value = next.state[name];
    if (value) g.output(updateNames.next(updateNames.state(name)), value);
  }
  return g;
}

/** Updates the host's arrays in place, span by span. */
export function createOptimizer(
  backend: Backend,
  cache: ProgramCache,
  parameters: Parameters,
  rule: BoundRule,
): Optimizer {
  const vector = (data: Float32Array): DeviceTensor =>
    backend.upload("float32", [data.length], data);
  const number = (value: number): DeviceTensor =>
    backend.upload("float32", [], Float32Array.of(value));
  const bound = new Map(
    parameters.spans.map((span) => {
      const weight = vector(span.weight);
      const states = [...span.state].map(
        ([name, data]) => [updateNames.state(name), vector(data)] as const,
      );
      return [
        span,
        {
          feeds: [
            ["weight", weight] as const,
            ["gradient", vector(span.gradient)] as const,
            ...states,
          ],
          into: new Map([
            [updateNames.next("weight"), weight],
            ...states.map(([name, tensor]) => [updateNames.next(name), tensor] as const),
          ]),
        },
      ];
    }),
  );
  return {
    async step({ t, lr, gradientScale }) {
      const scalars = new Map<
        ParameterSpan["decays"],
        readonly (readonly [string, DeviceTensor])[]
      >();
      for (const decays of [true, false])
        scalars.set(decays, [
          ["gradientScale", number(gradientScale)],
          ...Object.entries(rule.numbers({ t, lr, decays })).map(
            ([name, value]) => [updateNames.number(name), number(value)] as const,
          ),
        ]);
      for (const [span, { feeds, into }] of bound) {
        const program = await cache.compile(updateProgram(rule, [span.weight.length]));
        await program.run(new Map([...feeds, ...(scalars.get(span.decays) ?? [])]), into);
      }
    },
    gradientNorm() {
      let sum = 0;
      for (const { gradient } of parameters.spans) sum += sumOfSquares(gradient);
      return Promise.resolve(Math.sqrt(sum));
    },
    zeroGradients() {
      parameters.zeroGradients();
    },
  };
}

/** Σ x² in float64, in a fixed order. */
function sumOfSquares(values: Float32Array): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return sum;
}
