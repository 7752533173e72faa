/** @file Requests, answers, refusals and events between two ends of a line. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Port } from "../../../src/shared/channel.ts";
import { answers, channelClient, serveChannel, tells } from "../../../src/shared/channel.ts";
import { count, object } from "../../../src/shared/wire.ts";

const contract = {
  requests: {
    double: answers<{ readonly doubled: number; readonly bytes: Uint8Array }>().to(
      object<{ readonly value: number }>({ value: count }, {}),
    ),
  },
  events: { grown: tells<Float64Array>() },
} as const;

/** Two ends; what is posted on one arrives on the other, later and by structured clone, as between processes. */
function line(): readonly [Port, Port] {
  const ears: ((message: unknown) => void)[][] = [[], []];
  const end = (mine: number): Port => ({
    post: (message) => {
      const copy: unknown = structuredClone(message);
      setImmediate(() => ears[1 - mine]?.forEach((ear) => ear(copy)));
    },
    listen: (listener) => void ears[mine]?.push(listener),
  });
  return [end(0), end(1)];
}

function pair(double: (value: number) => number) {
  const [here, there] = line();
  const errors: unknown[] = [];
  const server = serveChannel(
    contract,
    { double: ({ value }) => ({ doubled: double(value), bytes: Uint8Array.of(value) }) },
    there,
    (error) => errors.push(error),
  );
  return { client: channelClient<typeof contract>(here), server, errors, here };
}

describe("a channel", () => {
  it("answers each request with its own answer, typed arrays included", async () => {
    const { client } = pair((value) => 2 * value);
    const [one, two] = await Promise.all([
      client.ask("double", { value: 3 }),
      client.ask("double", { value: 4 }),
    ]);
    assert.deepEqual([one.doubled, two.doubled], [6, 8]);
    assert.deepEqual(two.bytes, Uint8Array.of(4));
  });

  it("checks parameters where they arrive", async () => {
    const { client } = pair((value) => value);
    await assert.rejects(client.ask("double", { value: -1 }), /double: value is not a whole/);
  });

  it("knows no request that the contract lacks", async () => {
    const { client, here } = pair((value) => value);
    const refused = new Promise((resolve) => here.listen(resolve));
    here.post({ ask: "toString", id: 99, params: null });
    assert.deepEqual(await refused, { id: 99, failed: "There is no request toString." });
    await client.ask("double", { value: 1 });
  });

  it("hands a failure to who asked and to who watches", async () => {
    const { client, errors } = pair(() => {
      throw new Error("the disk is full");
    });
    await assert.rejects(client.ask("double", { value: 1 }), /the disk is full/);
    assert.equal(errors.length, 1);
  });

  it("tells events until the listener goes", async () => {
    const { client, server } = pair((value) => value);
    const heard: number[] = [];
    const stop = client.on("grown", (values) => heard.push(...values));
    server.tell("grown", Float64Array.of(1, NaN));
    await client.ask("double", { value: 1 });
    stop();
    server.tell("grown", Float64Array.of(2));
    await client.ask("double", { value: 1 });
    assert.deepEqual(heard, [1, NaN]);
  });

  it("fails what waits when the line breaks", async () => {
    const { client } = pair((value) => value);
    const asked = client.ask("double", { value: 1 });
    client.close("the process ended");
    await assert.rejects(asked, /the process ended/);
  });
});
