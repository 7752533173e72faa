/** @file What the editor calls in its extension host: runs the suite with Mocha and leaves the results in a file. */
import { writeFileSync } from "node:fs";
import process from "node:process";
import Mocha from "mocha";

/** A test that ended, as the file's reader gets it. */
export interface SuiteResult {
  readonly name: string;
  readonly milliseconds: number;
  /** Why it failed. */
  readonly error?: string;
}

/** Where the results go; the bundle's maker puts it in. */
declare const RESULTS_FILE: string;

export async function run(): Promise<void> {
  const results: SuiteResult[] = [];
  const mocha = new Mocha({ ui: "bdd", timeout: 120_000, reporter: "min" });
  mocha.suite.emit("pre-require", globalThis, "", mocha);
  try {
    await import("./tests.ts");
    await new Promise<void>((resolve) => {
      const runner = mocha.run(() => resolve());
      runner.on("pass", (test) => {
        results.push({ name: test.fullTitle(), milliseconds: test.duration ?? 0 });
      });
      runner.on("fail", (test, error: unknown) => {
        const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
        results.push({ name: test.fullTitle(), milliseconds: 0, error: why });
      });
    });
  } catch (error) {
    const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
    results.push({ name: "the suite", milliseconds: 0, error: why });
  }
  writeFileSync(RESULTS_FILE, JSON.stringify({ node: process.versions.node, results }));
}
