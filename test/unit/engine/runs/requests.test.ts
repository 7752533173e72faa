/** @file Requests in the run folder are given once, and only to the attempt they mean. */
import assert from "node:assert/strict";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { it } from "node:test";
import { requestFile, takeRequests, writeRequest } from "../../../../src/engine/runs/requests.ts";
import { scratch } from "./scratch.ts";

it("gives each request once, however often it was made", async (t) => {
  const folder = scratch(t);
  assert.deepEqual(await takeRequests(folder, 2), []);
  await writeRequest(folder, "stop", 2);
  await writeRequest(folder, "stop", 2);
  await writeRequest(folder, "checkpoint", 2);
  assert.deepEqual(await takeRequests(folder, 2), [
    { type: "stop", attempt: 2 },
    { type: "checkpoint", attempt: 2 },
  ]);
  assert.deepEqual(await takeRequests(folder, 2), []);
});

it("does not hand a dead attempt's request to the next one", async (t) => {
  const folder = scratch(t);
  await writeRequest(folder, "stop", 1);
  assert.deepEqual(await takeRequests(folder, 2), []);
  assert.deepEqual(await takeRequests(folder, 1), []);
});

it("removes damaged files and leaves others alone", async (t) => {
  const folder = scratch(t);
  await writeRequest(folder, "stop", 1);
  writeFileSync(requestFile(folder, "stop"), '{"v":1,"type":"checkpoint","attempt":1}');
  writeFileSync(requestFile(folder, "checkpoint"), "{");
  writeFileSync(join(folder, "requests", "readme"), "");
  assert.deepEqual(await takeRequests(folder, 1), []);
  assert.deepEqual(readdirSync(join(folder, "requests")), ["readme"]);
});
