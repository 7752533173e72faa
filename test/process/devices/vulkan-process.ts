/** @file Processes that find a Vulkan device, whatever the machine has. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import type { TestContext } from "node:test";
import { isRecord } from "../../../src/shared/wire.ts";
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
  const child = startNode(args, folder);
  t.after(() => child.kill("SIGKILL"));
  child.stdin.end();
  const closed = once(child, "close");
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
  await closed;
  return { code: child.exitCode, out, err };
}

/** `spectune ARGS` in a folder, one call after the other, in one process with a Vulkan device. */
export interface VulkanSpectune {
  readonly run: (folder: string, ...args: readonly string[]) => Promise<Outcome>;
  readonly end: () => void;
}

export function startVulkanSpectune(): VulkanSpectune {
  const child = startNode([join(import.meta.dirname, "vulkan-spectune.ts")], import.meta.dirname);
  let errors = "";
  child.stderr.on("data", (data: Buffer) => (errors += data.toString()));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async run(...words) {
      child.stdin.write(`${JSON.stringify(words)}\n`);
      const line = await lines.next();
      if (line.done === true) throw new Error(`The process ended before it answered: ${errors}`);
      const outcome: unknown = JSON.parse(line.value);
      assert(isRecord(outcome));
      const { code, out, err } = outcome;
      return { code: Number(code), out: String(out), err: String(err) };
    },
    end: () => void child.kill("SIGKILL"),
  };
}

function startNode(args: readonly string[], cwd: string): ChildProcessWithoutNullStreams {
  assert("env" in vulkan);
  // Otherwise a child that runs tests would speak the runner's binary protocol.
  const env = { ...process.env, ...vulkan.env, NODE_TEST_CONTEXT: undefined };
  return spawn(process.execPath, args, { cwd, env });
}
