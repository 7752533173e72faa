/** @file Builds what the editor loads, once for all tests of a process. */
import { join } from "node:path";
import { bundle } from "../../../src/build/bundle.ts";
import { root } from "../../../src/build/editor/code-server.ts";

let built: Promise<void> | undefined;

export function buildOnce(): Promise<void> {
  return (built ??= bundle(join(root, "dist")));
}
