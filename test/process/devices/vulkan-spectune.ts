/**
 * @file Calls `spectune` for each line of its input, in a process that finds a Vulkan device. It holds the device, whose
 * compiled shaders would go with its last session: they are nine tenths of a small run's work.
 */
import assert from "node:assert/strict";
import { createInterface } from "node:readline";
import { newGraph } from "../../../src/engine/core/graph.ts";
import { add } from "../../../src/engine/core/ops.ts";
import { createOrtBackend } from "../../../src/engine/runtime/ort.ts";
import { spectune } from "../../support/command-line.ts";

const backend = await createOrtBackend({ device: "webgpu" });
const g = newGraph();
const x = g.input("x", "float32", [2]);
g.output("y", add(g, x, x));
const held = await backend.compile(g);

for await (const line of createInterface({ input: process.stdin })) {
  const words: unknown = JSON.parse(line);
  assert(Array.isArray(words));
  const [folder = "", ...args] = words.map(String);
  process.stdout.write(`${JSON.stringify(await spectune(folder, ...args))}\n`);
}
await held.dispose();
