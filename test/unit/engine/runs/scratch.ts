/** @file A temporary folder for one test, removed behind it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";

/** A fresh folder that is gone after the test. */
export function scratch(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "spectune-test-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
