/** @file The engine as a sweep or the queue sees it: one experiment at a time, each in a process of its own. */
import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Cancelled, messageOf, UserError } from "../../shared/errors.ts";
import type { EventBody } from "../../shared/protocol.ts";
import { catalogFields } from "../catalog.ts";
import { writeSweepReport } from "../lab/write-report.ts";
import { loadFinalMetrics } from "./load-run.ts";
import { runStatus } from "../runs/liveness.ts";
import { withAbsolutePaths } from "../session/absolute-paths.ts";
import { machineFacts } from "../session/machine-facts.ts";
import { prepareRun } from "../session/prepare-run.ts";
import { received } from "../session/sent-errors.ts";
import type { FromRunProcess, ToRunProcess } from "./run-messages.ts";
import { isFromRunProcess } from "./run-messages.ts";
import type { RunOutcome, Runner, RunTask } from "./runner.ts";
import { isFolder } from "../weights/on-disk.ts";

export interface EngineRunnerOptions {
  readonly versions: Readonly<Record<string, string>>;
  readonly onEvent: (event: EventBody) => void;
}

export function createEngineRunner(options: EngineRunnerOptions): Runner {
  return {
    async run(task) {
      const { resume, signal } = task;
      if (resume !== undefined) {
        // The process of a sweep that was killed finishes its step by itself.
        await untilFree(resume, signal);
        const done = await finished(resume);
        if (done) return done;
      }
      if (signal.aborted) return { status: "stopped", metrics: {} };
      const ended = await inProcess(task, options).catch((error: unknown) => {
        if (error instanceof Cancelled) return undefined;
        throw error;
      });
      if (ended === undefined) return { status: "stopped", metrics: {} };
      const { status, runFolder } = ended;
      if (status === "failed")
        throw new UserError({ code: "run-failed", message: `The run ${runFolder} has failed.` });
      return { status, metrics: await loadFinalMetrics(runFolder, catalogFields) };
    },
    finished,
    async report(sweepFolder) {
      const version = options.versions["spectune"] ?? "";
      try {
        await writeSweepReport(sweepFolder, { version, withoutText: false, now: Date.now() });
      } catch (error) {
        const message = `The report could not be written: ${messageOf(error)}`;
        options.onEvent({ type: "log", level: "warning", message });
      }
    },
    async plan(experiment, folder) {
      const whole = withAbsolutePaths(experiment, folder, isFolder);
      const prepared = await prepareRun(whole, {
        emit: () => undefined,
        facts: machineFacts(),
        now: new Date(),
      });
      await prepared.opened.source.close();
      const { plan, data } = prepared;
      const tokens = Math.round((data.plan.tokensPerEpoch * plan.steps) / data.plan.stepsPerEpoch);
      return { tokens, steps: plan.steps, trainableParameters: plan.trainableParameters };
    },
  };
}

async function finished(runFolder: string): Promise<RunOutcome | undefined> {
  const { state } = await runStatus(runFolder, Date.now());
  if (state !== "finished") return undefined;
  return { status: "finished", metrics: await loadFinalMetrics(runFolder, catalogFields) };
}

/** How often a run that another process still has is looked at. */
const lookMs = 500;

async function untilFree(runFolder: string, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const { state } = await runStatus(runFolder, Date.now());
    if (state !== "running" && state !== "stopping") return;
    await sleep(lookMs);
  }
}

type Done = Extract<FromRunProcess, { readonly type: "done" }>;

/** Runs a task in a process of its own, to the end or until the signal stops it. */
async function inProcess(
  { experiment, folder, name, spectuneFolder, resume, onFolder, signal }: RunTask,
  { versions, onEvent }: EngineRunnerOptions,
): Promise<Done> {
  const child = start();
  const send = (message: ToRunProcess): void => {
    if (child.connected) child.send(message);
  };
  const onAbort = (): void => {
    send({ type: "stop" });
  };
  signal.addEventListener("abort", onAbort);
  try {
    const place = resume === undefined ? { spectuneFolder } : { resume };
    send({ type: "begin", experiment, folder, name, place, versions });
    if (signal.aborted) onAbort();
    return await new Promise<Done>((resolve, reject) => {
      let last: Extract<FromRunProcess, { readonly type: "done" | "failed" }> | undefined;
      child.on("message", (message: unknown) => {
        if (!isFromRunProcess(message)) return;
        if (message.type === "event") onEvent(message.event);
        else if (message.type === "folder") onFolder(message.runFolder);
        else last = message;
      });
      child.on("error", reject);
      // Only when it has ended is its memory free for the next.
      child.on("close", (code, killed) => {
        if (last?.type === "done") resolve(last);
        else reject(last === undefined ? ended(killed ?? `code ${code}`) : received(last.error));
      });
    });
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/** The process, which writes whatever it has to say beside its messages to our standard error. */
function start(): ChildProcess {
  // From the sources it is a TypeScript file beside this one, from a bundle a JavaScript one.
  const file = import.meta.url.endsWith(".ts") ? "./run-process.ts" : "./run-process.mjs";
  return fork(fileURLToPath(new URL(file, import.meta.url)), {
    serialization: "advanced",
    stdio: ["ignore", 2, 2, "ipc"],
  });
}

function ended(how: string): UserError {
  return new UserError({
    code: "run-process-ended",
    message: `The run's process was ended by ${how} before its work was done.`,
    remedy:
      "SIGKILL is often the system's, when memory runs out: lower train.micro_batch_size, or use gradient_checkpointing.",
  });
}
