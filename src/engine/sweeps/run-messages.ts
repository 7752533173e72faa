/** @file What a sweep and the process of one of its runs say to each other. */
import type { Experiment } from "../../shared/experiment/fields/experiment-fields.ts";
import type { EventBody, Outcome } from "../../shared/protocol.ts";
import { isRecord } from "../../shared/wire.ts";
import type { SentError } from "../session/messages.ts";
import type { RunOptions } from "../session/run-experiment.ts";

export type ToRunProcess =
  | ({ readonly type: "begin"; readonly experiment: Experiment } & Pick<
      RunOptions,
      "folder" | "name" | "place" | "versions"
    >)
  /** Stop after the current step. */
  | { readonly type: "stop" };

export type FromRunProcess =
  | { readonly type: "folder"; readonly runFolder: string }
  | { readonly type: "event"; readonly event: EventBody }
  | { readonly type: "done"; readonly status: Outcome; readonly runFolder: string }
  | { readonly type: "failed"; readonly error: SentError };

/** Both ends are of one version, so that a known type stands for its form. */
export function isToRunProcess(message: unknown): message is ToRunProcess {
  return isRecord(message) && (message["type"] === "begin" || message["type"] === "stop");
}

export function isFromRunProcess(message: unknown): message is FromRunProcess {
  const types: readonly unknown[] = ["folder", "event", "done", "failed"];
  return isRecord(message) && types.includes(message["type"]);
}
