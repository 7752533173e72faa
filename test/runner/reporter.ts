/** @file What a test file's process tells the runner: one record a line, the last of them only when all tests are over. */
import { AssertionError } from "node:assert";
import type { EventData } from "node:test";
import type { TestEvent } from "node:test/reporters";
import { inspect } from "node:util";

/** One test that ended, a warning, or the end of the file. */
export type TestRecord =
  | { readonly type: "passed" }
  | { readonly type: "skipped"; readonly name: string; readonly reason: string }
  | { readonly type: "failed"; readonly name: string; readonly error: string }
  /** What Node has to say of no test in particular, such as an error that came when its test was over. */
  | { readonly type: "warned"; readonly message: string }
  | { readonly type: "end" };

/** Node ends with such lines as "tests 3". */
const isCount = /^\w+ [\d.]+$/;

/** Node loads this by `--test-reporter`, which wants a default export. */
export default async function* report(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  /** The suites that are open and the test in them, outermost first. */
  const names: string[] = [];
  for await (const event of events) {
    if (event.type === "test:start") enter(names, event.data);
    if (event.type === "test:diagnostic" && !isCount.test(event.data.message))
      yield line({ type: "warned", message: event.data.message });
    if (event.type !== "test:pass" && event.type !== "test:fail") continue;
    enter(names, event.data);
    const record = recordOf(event.data, names.join(" › "));
    if (record !== undefined) yield line(record);
  }
  yield line({ type: "end" });
}

function enter(names: string[], { nesting, name }: EventData.TestStart | Ended): void {
  names.splice(nesting, Infinity, name);
}

type Ended = EventData.TestPass | EventData.TestFail;

/** What to tell of a test or suite that ended; nothing of a suite that says only what its tests have said. */
function recordOf(data: Ended, path: string): TestRecord | undefined {
  const name = data.line === undefined ? path : `${path} (line ${data.line})`;
  const { skip, todo, details } = data;
  if (skip !== undefined && skip !== false)
    return { type: "skipped", name, reason: typeof skip === "string" ? skip : "" };
  if (todo !== undefined && todo !== false) return { type: "skipped", name, reason: "to be done" };
  if ("error" in details)
    return isOfSubtests(details.error)
      ? undefined
      : { type: "failed", name, error: describeError(details.error) };
  return details.type === "suite" ? undefined : { type: "passed" };
}

function isOfSubtests(error: Error): boolean {
  return "failureType" in error && error.failureType === "subtestsFailed";
}

/** Node wraps what a test threw; the wrapping says nothing. */
function describeError(error: Error): string {
  const thrown = error.cause ?? error;
  // What an assertion's properties hold, its message shows.
  if (thrown instanceof AssertionError && thrown.stack !== undefined) return thrown.stack;
  return typeof thrown === "string" ? thrown : inspect(thrown, { depth: 8 });
}

function line(record: TestRecord): string {
  return `${JSON.stringify(record)}\n`;
}
