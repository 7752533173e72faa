/** @file How far a run is from its fixture. */
import assert from "node:assert/strict";
import { at } from "../../../src/shared/errors.ts";
import type { MethodFixture } from "./fixture.ts";
import type { FixtureRun } from "./run-fixture.ts";

export interface Differences {
  /** The largest |ours − theirs| of the ten losses. */
  readonly losses: number;
  /** The same of the logits, by the largest logit. */
  readonly logits: number;
}

export function compared(run: FixtureRun, { losses, logits }: MethodFixture): Differences {
  const theirs = logits.flat();
  return {
    losses: largest(run.losses, losses),
    logits: largest(run.logits.flat(), theirs) / Math.max(...theirs.map(Math.abs)),
  };
}

/** NaN where either side has one. */
function largest(ours: readonly number[], theirs: readonly number[]): number {
  assert.equal(ours.length, theirs.length);
  return Math.max(...theirs.map((value, place) => Math.abs(at(ours, place) - value)));
}
