/** @file Our event files are byte for byte those of TensorBoard's own writer. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import {
  encodeRestart,
  encodeScalars,
  encodeVersion,
  frame,
  openTensorboard,
} from "../../../src/engine/runs/tensorboard.ts";
import {
  isProblem,
  mapOf,
  object,
  parseJson,
  real,
  type Decoder,
} from "../../../src/shared/wire.ts";

const read = (name: string) => readFileSync(join(import.meta.dirname, name));
const expected = read("expected.tfevents");

interface Case {
  readonly step: number;
  readonly time: number;
  readonly values: Readonly<Record<string, number>>;
}

function decoded<T>(decoder: Decoder<T>, value: unknown): T {
  const result = decoder(value, "");
  if (isProblem(result)) throw new Error(result.problem);
  return result;
}

const parsed = decoded(
  mapOf<unknown>((value) => value),
  parseJson(read("cases.json").toString()),
);
const version = decoded(object<{ readonly time: number }>({ time: real }, {}), parsed["version"]);
const restart = decoded(
  object<Omit<Case, "values">>({ step: real, time: real }, {}),
  parsed["restart"],
);
const scalars = decoded(
  mapOf(object<Case>({ step: real, time: real, values: mapOf(real) }, {})),
  Object.fromEntries(Object.entries(parsed["scalars"] ?? {})),
);

describe("event files", () => {
  it("are those of TensorBoard's writer", () => {
    const ours = Buffer.concat([
      frame(encodeVersion(version.time)),
      frame(encodeRestart(restart.step, restart.time)),
      ...Object.values(scalars).map((one) => frame(encodeScalars(one.step, one.time, one.values))),
    ]);
    assert.deepEqual(ours, expected);
  });

  it("hold the same when written through the writer, one file for each attempt", async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "spectune-test-"));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const { time } = version;
    const first = await openTensorboard(folder, { host: "höst/1", attempt: 1, time });
    for (const one of Object.values(scalars)) first.scalars(one.step, one.time, one.values);
    await first.close();
    const again = { host: "höst/1", attempt: 2, time, restartAt: 51 };
    await (await openTensorboard(folder, again)).close();
    assert.deepEqual(readdirSync(folder).toSorted(), [
      "events.out.tfevents.1770127509.h_st_1.1",
      "events.out.tfevents.1770127509.h_st_1.2",
    ]);
    const [one, two] = readdirSync(folder)
      .toSorted()
      .map((name) => readFileSync(join(folder, name)));
    const head = frame(encodeVersion(time));
    const restarted = frame(encodeRestart(51, restart.time));
    assert.deepEqual(
      Buffer.concat([head, restarted, (one ?? head).subarray(head.length)]),
      expected,
    );
    assert.deepEqual(two, Buffer.concat([head, frame(encodeRestart(51, time))]));
  });
});
