/** @file Processes that find a Vulkan device, whatever the machine has. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import type { TestContext } from "node:test";
import type { Outcome } from "../../support/command-line.ts";
import { vulkanEnvironment } from "../../support/swiftshader.ts";

const vulkan = vulkanEnvironment();

/** For `skip`: why there is no Vulkan device; false where there is one. */
export const withoutVulkan: string | false = "missing" in vulkan && vulkan.missing;

if (withoutVulkan !== false)
  process.stderr.write(`\nTRAINING ON WEBGPU IS NOT TESTED: ${withoutVulkan}.\n`);

/** Runs `node ARGS` to its end; the process is gone after the test in any case. */
export async function nodeWithVulkan(
  t: TestContext,
  folder: string,
  args: readonly string[],
): Promise<Outcome> {
  assert("env" in vulkan);
  const inherited = { ...process.env };
  // Otherwise a child that runs tests would speak the runner's binary protocol.
  delete inherited["NODE_TEST_CONTEXT"];
  const child = spawn(process.execPath, args, {
    cwd: folder,
    env: { ...inherited, ...vulkan.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  t.after(() => child.kill("SIGKILL"));
  const closed = once(child, "close");
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
  await closed;
  return { code: child.exitCode, out, err };
}
