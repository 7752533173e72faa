/** @file Calls the command line for an answer, in the foreground: with progress, and an end when it is cancelled. */
import { spawn } from "node:child_process";
import * as vscode from "vscode";
import { reasonOf } from "./reason.ts";
import type { Runtime } from "./runtime.ts";

export interface CallOptions {
  readonly args: readonly string[];
  readonly cwd: string;
  readonly token?: vscode.CancellationToken | undefined;
  /** Gets standard output as it comes. */
  readonly onOutput?: (text: string) => void;
  /** Gets each line of progress. */
  readonly onProgress?: (line: string) => void;
}

export interface CallResult {
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

/** Resolves at the end of the process, whatever its code. */
export function callCommandLine(runtime: Runtime, options: CallOptions): Promise<CallResult> {
  const { args, cwd, token, onOutput, onProgress } = options;
  return new Promise((resolve, reject) => {
    const child = spawn(runtime.executable, [runtime.file("spectune.mjs"), ...args], {
      cwd,
      env: runtime.environment,
      windowsHide: true,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const said = { output: "", errors: "" };
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      said.output += text;
      onOutput?.(text);
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      said.errors += text;
      const line = text.split(/[\r\n]+/).findLast((each) => each.trim() !== "");
      if (line !== undefined) onProgress?.(line.trim());
    });
    const cancelling = token?.onCancellationRequested(() => {
      child.kill("SIGINT");
      setTimeout(() => child.kill("SIGKILL"), 3000).unref();
    });
    child.on("error", reject);
    child.on("close", (code) => {
      cancelling?.dispose();
      resolve({ code, ...said });
    });
  });
}

/** The same in a cancellable notification; throws with what the command line says where it fails. */
export async function callWithProgress(
  runtime: Runtime,
  title: string,
  options: Omit<CallOptions, "token" | "onProgress">,
): Promise<string | undefined> {
  return await vscode.window.withProgress(
    { location: vscode.ProgressLocation.Notification, title, cancellable: true },
    async (progress, token) => {
      const { code, output, errors } = await callCommandLine(runtime, {
        ...options,
        token,
        onProgress: (message) => progress.report({ message }),
      });
      if (token.isCancellationRequested) return undefined;
      if (code !== 0) throw new Error(reasonOf(errors));
      return output;
    },
  );
}
