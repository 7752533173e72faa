/** @file Steps without a backward pass: the slope along a random direction from two losses, and the rule's update along it. */
import { invariant } from "../../shared/errors.ts";
import type { BoundRule } from "../optimizers/define.ts";
import type { Backend, DeviceTensor } from "../runtime/backend.ts";
import { updateNames, updateProgram } from "./optimizer.ts";
import type { Parameter, Parameters } from "./parameters.ts";
import { pieceElements } from "./piece-lengths.ts";
import type { ProgramCache } from "./program-cache.ts";

/** Writes standard normal numbers: those from place `first` on of the stream of a step and a tensor, the same whenever asked. */
export type Normals = (step: number, tensor: string, first: number, into: Float32Array) => void;

export interface EstimatedStep {
  /** From 1. */
  readonly t: number;
  readonly lr: number;
  /** The loss with the weights as they are. */
  readonly loss: () => Promise<number>;
}

export interface Estimator {
  /** Moves the weights; the loss is the mean of both sides, the slope (L₊ − L₋) / (2 eps). */
  step(step: EstimatedStep): Promise<{ readonly loss: number; readonly slope: number }>;
}

export function createEstimator(
  backend: Backend,
  cache: ProgramCache,
  parameters: Parameters,
  rule: BoundRule,
  normals: Normals,
): Estimator {
  const { estimate } = rule;
  invariant(estimate, `${rule.name} takes gradients`);
  const { eps } = estimate;
  const buffer = new Float32Array(pieceElements);

  /** Calls with each piece of each tensor and the direction there. */
  async function* pieces(t: number): AsyncGenerator<Piece> {
    for (const parameter of parameters.all.values())
      for (let first = 0; first < parameter.weight.length; first += pieceElements) {
        const count = Math.min(pieceElements, parameter.weight.length - first);
        const direction = buffer.subarray(0, count);
        normals(t, parameter.name, first, direction);
        yield await Promise.resolve({ parameter, first, count, direction });
      }
  }
  const move = async (t: number, by: number): Promise<void> => {
    for await (const { parameter, first, count, direction } of pieces(t)) {
      const weight = parameter.weight.subarray(first, first + count);
      for (let i = 0; i < count; i++) weight[i] = (weight[i] ?? 0) + by * (direction[i] ?? 0);
    }
  };
  const scalar = (value: number): DeviceTensor =>
    backend.upload("float32", [], Float32Array.of(value));

  return {
    async step({ t, lr, loss }) {
      await move(t, eps);
      const above = await loss();
      await move(t, -2 * eps);
      const below = await loss();
      await move(t, eps);
      const slope = (above - below) / (2 * eps);
      const slopeScalar = scalar(slope);
      for await (const { parameter, first, count, direction } of pieces(t)) {
        const piece = (data: Float32Array): DeviceTensor =>
          backend.upload("float32", [count], data.subarray(first, first + count));
        const weight = piece(parameter.weight);
        const states = [...parameters.statesOf(parameter.name)].map(
          ([name, { data }]) => [updateNames.state(name), piece(data)] as const,
        );
        const numbers = rule.numbers({
          ...{ t, lr: lr * rule.rate(parameter), decays: parameter.decays },
        });
        const program = await cache.compile(updateProgram(rule, [count]));
        await program.run(
          new Map([
            ["weight", weight],
            ["gradient", backend.upload("float32", [count], direction)],
            ["gradientScale", slopeScalar],
            ...Object.entries(numbers).map(
              ([name, value]) => [updateNames.number(name), scalar(value)] as const,
            ),
            ...states,
          ]),
          new Map([
            [updateNames.next("weight"), weight],
            ...states.map(([name, state]) => [updateNames.next(name), state] as const),
          ]),
        );
      }
      return { loss: (above + below) / 2, slope };
    },
  };
}

interface Piece {
  readonly parameter: Parameter;
  readonly first: number;
  readonly count: number;
  readonly direction: Float32Array;
}
