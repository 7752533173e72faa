/** @file The process that reads for the extension: started when first asked, started again when it died. */
import type { ChildProcess } from "node:child_process";
import { fork } from "node:child_process";
import type { ChannelClient } from "../shared/channel.ts";
import { channelClient } from "../shared/channel.ts";
import type { workbench } from "../shared/workbench.ts";
import type { Output } from "./output.ts";
import type { Runtime } from "./runtime.ts";

type Client = ChannelClient<typeof workbench>;

export interface WorkbenchClient {
  readonly ask: Client["ask"];
  readonly on: Client["on"];
  /** Calls back after the process was started again: what it was told to watch and follow is to be told again. */
  readonly onRestart: (listener: () => void) => void;
  /** Whether it has been started. */
  readonly started: () => boolean;
  readonly dispose: () => void;
}

/** A process that dies so often within a minute is not started again. */
const mostStarts = 5;

export function createWorkbench(runtime: () => Runtime, output: Output): WorkbenchClient {
  let ears: ((message: unknown) => void)[] = [];
  let child: ChildProcess | undefined;
  let starts: readonly number[] = [];
  let disposed = false;
  const restarted: (() => void)[] = [];

  const start = (): ChildProcess => {
    const { executable, environment, file } = runtime();
    starts = [...starts.filter((time) => time > Date.now() - 60_000), Date.now()];
    const made = fork(file("workbench.mjs"), [], {
      execPath: executable,
      execArgv: [],
      env: environment,
      // Typed arrays cross as they are.
      serialization: "advanced",
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    made.stderr?.on("data", (data: Buffer) =>
      output.info(`workbench: ${data.toString().trimEnd()}`),
    );
    made.on("message", (message) => {
      for (const ear of ears) ear(message);
    });
    made.on("error", (error) => {
      output.error(error);
      ended(made, error.message);
    });
    made.on("exit", (code, signal) => ended(made, `it ended by ${signal ?? String(code)}`));
    return made;
  };
  const ended = (which: ChildProcess, reason: string): void => {
    if (child !== which) return;
    child = undefined;
    client.close(`The process that reads runs and models is gone: ${reason}.`);
    if (disposed || starts.length >= mostStarts) return;
    child = start();
    for (const listener of restarted) listener();
  };
  const client = channelClient<typeof workbench>({
    post: (message) => {
      child ??= start();
      child.send(sendable(message));
    },
    listen: (listener) => {
      ears = [...ears, listener];
    },
  });
  return {
    ask: client.ask,
    on: client.on,
    onRestart: (listener) => void restarted.push(listener),
    started: () => child !== undefined,
    dispose: () => {
      disposed = true;
      child?.disconnect();
    },
  };
}

/** A message is always an object. */
function sendable(message: unknown): object {
  return typeof message === "object" && message !== null ? message : {};
}
