/** @file Starts the WebGPU checks in a process that finds a Vulkan device. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { it } from "node:test";
import { vulkanEnvironment } from "../../support/swiftshader.ts";

const checks = join(import.meta.dirname, "webgpu-checks.ts");
const vulkan = vulkanEnvironment();

if ("missing" in vulkan) {
  process.stderr.write(`\nWebGPU IS NOT TESTED: ${vulkan.missing}.\n`);
  it("WebGPU computes as the reference does", { skip: vulkan.missing }, () => undefined);
} else
  it("WebGPU computes as the reference does", async () => {
    const output = await run(vulkan.env);
    assert.equal(output.status, 0, output.text);
    assert.match(output.text, /fail 0/u);
  });

/** Runs the checks; they report in node's own words. */
async function run(
  env: Readonly<Record<string, string>>,
): Promise<{ readonly status: number | null; readonly text: string }> {
  const inherited = { ...process.env };
  // Otherwise the child would speak the runner's binary protocol.
  delete inherited["NODE_TEST_CONTEXT"];
  const child = spawn(process.execPath, ["--test-reporter=spec", checks], {
    env: { ...inherited, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const closed = once(child, "close");
  const [out, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
  await closed;
  return { status: child.exitCode, text: `${out}\n${errors}` };
}
