/** @file Tells of what is kept of work that ended before its end: by an interrupt or an error. */
import { existsSync, rmdirSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { removeLeftovers, removeOwnUnfinished } from "../engine/runs/atomic.ts";
import { endBySignal } from "../engine/session/end-by-signal.ts";
import type { Console } from "./define.ts";

/** Runs work that keeps what is done of it in the folder `parts`, as `openParts` of the engine does. */
export async function keepingParts<T>(
  console: Console,
  parts: string,
  work: () => Promise<T>,
): Promise<T> {
  await removeLeftovers(dirname(parts), "dead", Date.now());
  const ending = (): void => {
    tell(console, parts);
    removeOwnUnfinished(dirname(parts));
  };
  try {
    return await onInterrupt(console, ending, work);
  } catch (error) {
    tell(console, parts);
    throw error;
  }
}

/** Runs work that leaves unfinished things in `folder` where it is ended: those of this process and of dead ones are removed. */
export async function keepingNothing<T>(
  console: Console,
  folder: string,
  work: () => Promise<T>,
): Promise<T> {
  await removeLeftovers(folder, "dead", Date.now());
  const ending = (): void => {
    console.err("Ended; nothing is kept.\n");
    removeOwnUnfinished(folder);
  };
  return onInterrupt(console, ending, work);
}

async function onInterrupt<T>(
  console: Console,
  ending: () => void,
  work: () => Promise<T>,
): Promise<T> {
  const onSignal = (signal: NodeJS.Signals): void => {
    console.err("\n");
    ending();
    endBySignal(signal);
  };
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
  try {
    return await work();
  } finally {
    process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
  }
}

function tell(console: Console, parts: string): void {
  if (existsSync(join(parts, "progress.json")))
    console.err(`What is done is kept in ${parts}: the same command goes on from there.\n`);
  else
    try {
      rmdirSync(parts);
    } catch {
      // There is none, or it is not empty: then something in it was worth keeping.
    }
}
