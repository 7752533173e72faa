/** @file What the main thread and the lab's thread say to each other. */
import type { Finding } from "../../shared/findings.ts";
import type { SentError } from "../session/messages.ts";
import type { LabRequest, LabResult } from "./lab-requests.ts";
import type { LookProgress } from "./look.ts";

export interface LabStart {
  readonly request: LabRequest;
  /** One 32-bit integer: 1 ends the work at the next large product. */
  readonly flag: SharedArrayBuffer;
}

export type FromLab =
  | { readonly type: "finding"; readonly finding: Finding }
  | { readonly type: "progress"; readonly progress: LookProgress }
  | { readonly type: "done"; readonly result: LabResult }
  /** The message says how far it came. */
  | { readonly type: "cancelled"; readonly message: string }
  | { readonly type: "failed"; readonly error: SentError };

/** Both threads are of one program; only a wrong use of the worker's file is caught. */
export function isLabStart(value: unknown): value is LabStart {
  return typeof value === "object" && value !== null && "request" in value && "flag" in value;
}
