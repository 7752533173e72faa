/** @file Builds what the editor loads, once for all tests; where the group was prepared that has been done. */
import { join } from "node:path";
import process from "node:process";
import { bundle } from "../../../src/build/bundle.ts";
import { root } from "../../../src/build/editor/code-server.ts";

let built: Promise<void> | undefined;

export function buildOnce(): Promise<void> {
  if (process.env["SPECTUNE_PREPARED"] === "1") return Promise.resolve();
  return (built ??= bundle(join(root, "dist")));
}
