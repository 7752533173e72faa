/** @file What the extension has to say to who looks for it: one channel in the Output view, made when it is first needed. */
import * as vscode from "vscode";
import { messageOf } from "../shared/errors.ts";
import type { Disposes } from "./disposes.ts";

export interface Output extends Disposes {
  readonly info: (message: string) => void;
  readonly error: (error: unknown) => void;
  readonly show: () => void;
  /** For the language client, which writes to a channel of its own choice. */
  readonly channel: () => vscode.LogOutputChannel;
}

export function createOutput(): Output {
  let made: vscode.LogOutputChannel | undefined;
  const channel = (): vscode.LogOutputChannel =>
    (made ??= vscode.window.createOutputChannel("Spectune", { log: true }));
  return {
    info: (message) => channel().info(message),
    error: (error) => channel().error(error instanceof Error ? error : messageOf(error)),
    show: () => channel().show(true),
    channel,
    dispose: () => made?.dispose(),
  };
}
