/** @file A stop within one large matrix, and the call that goes on after it. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { it } from "node:test";
import { lookAt, type LookHost, type LookPlace } from "../../../../src/engine/lab/look.ts";
import { lookAtSpectra } from "../../../../src/engine/lab/look-spectra.ts";
import { Cancelled } from "../../../../src/shared/errors.ts";
import { scratch } from "../runs/scratch.ts";
import { matrix, writeModel } from "./folders.ts";

it("stops between two products of a matrix, tells of progress within it, and goes on later", async (t) => {
  const root = scratch(t);
  await writeModel(join(root, "base"), { "layers.0.fc1.weight": matrix(300, 280, 1) });
  const place: LookPlace = {
    base: join(root, "base"),
    places: { base: root, env: {}, home: root },
    matrices: undefined,
    splitsFused: false,
    held: undefined,
    question: "dequantized-tuned",
    folder: join(root, "analysis"),
    cache: join(root, "cache"),
    versions: {},
  };
  let [asked, told, clock] = [0, 0, 0];
  const host = (most: number): LookHost => ({
    tell: () => undefined,
    progress: () => (told += 1),
    isCancelled: () => (asked += 1) > most,
    // Each look at the clock is two seconds after the one before.
    now: () => (clock += 2000),
    time: () => "2000-01-01T00:00:00Z",
  });
  const look = lookAtSpectra({});
  // Once before the matrix, then before its products.
  const stopped = lookAt(place, [{ kind: "none" }], look, host(4));
  await assert.rejects(stopped, (error) => {
    assert.ok(error instanceof Cancelled);
    assert.match(error.message, /Stopped after 0 of 1 matrices/u);
    return true;
  });
  assert.equal(asked, 5);
  assert.ok(told > 2, `${told} words of progress`);
  const [result] = await lookAt(place, [{ kind: "none" }], look, host(Infinity));
  assert.equal(result?.records[0]?.base.sigma.length, 280);
});
