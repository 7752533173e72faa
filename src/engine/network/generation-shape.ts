/** @file The shapes in which a group of prompts is generated from: they decide which programs are compiled. */
import type { BatchShape } from "../programs/layer.ts";

export interface GenerationShape {
  readonly batch: number;
  /** Places of the prompts, padding included. */
  readonly promptLength: number;
  /** Places for which keys and values are kept. */
  readonly capacity: number;
}

/** Lengths are rounded up to this, so that prompts of similar length share their programs. */
const lengthStep = 32;

/** `lengths` of the prompts, in tokens, and with what stands before their words; `maxLength` likewise is the model's. */
export function generationShape(
  lengths: readonly number[],
  maxNewTokens: number,
  maxLength: number,
): GenerationShape {
  const longest = Math.max(...lengths);
  const promptLength = Math.min(roundUp(longest), Math.max(longest, maxLength));
  return {
    batch: lengths.length,
    promptLength,
    capacity: roundUp(promptLength + maxNewTokens),
  };
}

/** The pass over the prompts, with nothing before them but `virtual` places that are no words. */
export function promptShape({ batch, promptLength }: GenerationShape, virtual: number): BatchShape {
  return { batch, length: promptLength, ownPositions: false, bias: "none", virtual };
}

/** The pass over one further token of each, after `capacity` places. */
export function tokenShape({ batch }: GenerationShape): BatchShape {
  return { batch, length: 1, ownPositions: true, bias: "keys" };
}

function roundUp(length: number): number {
  return Math.ceil(length / lengthStep) * lengthStep;
}
