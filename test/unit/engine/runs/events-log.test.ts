/** @file The event log: whole lines only, torn ones cut on resume, read in pieces while it grows. */
import assert from "node:assert/strict";
import { appendFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import {
  eventsFile,
  loadEvents,
  openEventsLog,
  readEvents,
  readLastEvent,
} from "../../../../src/engine/runs/events-log.ts";
import type { RunEvent } from "../../../../src/shared/protocol.ts";
import { scratch } from "./scratch.ts";

const options = (attempt: number) => ({ attempt, now: () => 5, check: () => undefined });
const log = (message: string) => ({ type: "log", level: "info", message }) as const;
const messages = (events: readonly RunEvent[]) =>
  events.map((event) => (event.type === "log" ? `${event.attempt} ${event.message}` : event.type));

describe("the event log", () => {
  it("keeps the order, stamps attempt and time, and goes on behind what is there", async (t) => {
    const folder = scratch(t);
    const first = openEventsLog(folder, options(1));
    assert.deepEqual(first.append(log("a")), { attempt: 1, time: 5, ...log("a") });
    first.append(log("b"));
    // A line is in the file when append returns, not first when the log is closed.
    assert.equal(readFileSync(eventsFile(folder), "utf8").split("\n").length, 3);
    await first.close();
    await first.close();
    const second = openEventsLog(folder, options(2));
    second.append(log("c"));
    await second.close();
    const { value, findings } = await loadEvents(folder);
    assert.deepEqual([messages(value), findings], [["1 a", "1 b", "2 c"], []]);
  });

  it("cuts a line that a kill has torn, wherever it was torn", async (t) => {
    const folder = scratch(t);
    const path = eventsFile(folder);
    const whole = openEventsLog(folder, options(1));
    whole.append(log("a"));
    whole.append(log("€ 😀 b"));
    await whole.close();
    const bytes = readFileSync(path);
    const firstEnd = bytes.indexOf(10) + 1;
    for (let length = 0; length <= bytes.length; length += 1) {
      writeFileSync(path, bytes.subarray(0, length));
      const torn = length !== 0 && length !== firstEnd && length !== bytes.length;
      assert.deepEqual(
        (await loadEvents(folder)).findings.map(({ code }) => code),
        torn ? ["torn-line"] : [],
      );
      const resumed = openEventsLog(folder, options(2));
      resumed.append(log("c"));
      await resumed.close();
      const { value, findings } = await loadEvents(folder);
      const before =
        length === bytes.length ? ["1 a", "1 € 😀 b"] : length >= firstEnd ? ["1 a"] : [];
      assert.deepEqual([messages(value), findings], [[...before, "2 c"], []]);
    }
  });

  it("cuts a torn line longer than the pieces it looks at", async (t) => {
    const folder = scratch(t);
    writeFileSync(eventsFile(folder), "x".repeat(200_000));
    await openEventsLog(folder, options(1)).close();
    assert.equal(readFileSync(eventsFile(folder), "utf8"), "");
    writeFileSync(eventsFile(folder), `first\n${"x".repeat(200_000)}`);
    await openEventsLog(folder, options(1)).close();
    assert.equal(readFileSync(eventsFile(folder), "utf8"), "first\n");
  });

  it("reads on from where it stopped, and takes a torn line when it is whole", async (t) => {
    const folder = scratch(t);
    const path = eventsFile(folder);
    const seen: RunEvent[] = [];
    const visit = (event: RunEvent) => seen.push(event);
    assert.deepEqual(await readEvents(folder, visit, 0), { offset: 0, findings: [] });
    const writer = openEventsLog(folder, options(1));
    writer.append(log("a"));
    await writer.close();
    const line = readFileSync(path);
    let { offset } = await readEvents(folder, visit);
    appendFileSync(path, line.subarray(0, 20));
    ({ offset } = await readEvents(folder, visit, offset));
    assert.deepEqual([messages(seen), offset], [["1 a"], line.length]);
    appendFileSync(path, line.subarray(20));
    ({ offset } = await readEvents(folder, visit, offset));
    assert.deepEqual([messages(seen), offset], [["1 a", "1 a"], 2 * line.length]);
  });

  it("passes over damaged and newer lines with a remark that names the line", async (t) => {
    const folder = scratch(t);
    const writer = openEventsLog(folder, options(1));
    writer.append(log("a"));
    await writer.close();
    const good = readFileSync(eventsFile(folder), "utf8");
    const newer = good.replace('"v":1', '"v":2');
    writeFileSync(eventsFile(folder), `${good}\0\0\0\n${newer}${"y".repeat(3e6)}\n${good}`);
    const { value, findings } = await loadEvents(folder);
    assert.deepEqual(messages(value), ["1 a", "1 a"]);
    assert.deepEqual(
      findings.map(({ code, place }) => [code, place?.line]),
      [
        ["malformed-line", 2],
        ["newer-version", 3],
        ["overlong-line", 4],
      ],
    );
  });

  it("bounds its remarks on a file that is something else", async (t) => {
    const folder = scratch(t);
    writeFileSync(eventsFile(folder), "no\n".repeat(10_000));
    const { value, findings } = await loadEvents(folder);
    assert.deepEqual([value.length, findings.length], [0, 100]);
  });

  it("finds the last event from the end alone", async (t) => {
    const folder = scratch(t);
    assert.equal(await readLastEvent(folder), undefined);
    const writer = openEventsLog(folder, options(1));
    for (let index = 0; index < 3; index += 1) writer.append(log("x".repeat(900_000)));
    writer.append(log("last"));
    await writer.close();
    appendFileSync(eventsFile(folder), '{"v":1,"torn');
    const last = await readLastEvent(folder);
    assert.deepEqual(messages(last === undefined ? [] : [last]), ["1 last"]);
  });

  it("says that the disk is full", { skip: process.platform !== "linux" }, async (t) => {
    const folder = join(scratch(t), ".spectune/runs/r");
    mkdirSync(folder, { recursive: true });
    symlinkSync("/dev/full", eventsFile(folder));
    const writer = openEventsLog(folder, options(1));
    for (const message of ["a", "b"])
      assert.throws(() => writer.append(log(message)), {
        name: "UserError",
        code: "no-space-left",
        remedy: /run --resume r`/,
      });
    await writer.close().catch(() => undefined);
  });
});
