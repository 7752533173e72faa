/** @file Starts a script of this folder as a process of its own and hears what it says. */
import { spawn, type ChildProcess } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { TestContext } from "node:test";

export interface Child {
  readonly process: ChildProcess;
  /** The next line of its standard output; `undefined` at its end. */
  readonly next: () => Promise<string | undefined>;
  /** Waits until it says `word`; throws where it ends before. */
  readonly says: (word: string) => Promise<void>;
  readonly tell: (line: string) => void;
  /** Its exit code, or the signal that ended it, with what it wrote to standard error. */
  readonly end: Promise<{ readonly by: number | string | null; readonly errors: string }>;
}

/** Starts `script`; the child is gone after the test. */
export function startChild(t: TestContext, script: string, ...args: readonly string[]): Child {
  const child = spawn(process.execPath, [join(import.meta.dirname, script), ...args]);
  t.after(() => child.kill("SIGKILL"));
  let errors = "";
  child.stderr.on("data", (data: Buffer) => (errors += data.toString()));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => {
    const line = await lines.next();
    return line.done === true ? undefined : line.value;
  };
  return {
    process: child,
    next,
    says: async (word) => {
      for (let line = await next(); line !== word; line = await next())
        if (line === undefined) throw new Error(`ended before "${word}": ${errors}`);
    },
    tell: (line) => child.stdin.write(`${line}\n`),
    end: new Promise((done) =>
      child.once("close", (code, signal) => {
        done({ by: signal ?? code, errors });
      }),
    ),
  };
}
