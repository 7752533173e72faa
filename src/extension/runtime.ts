/** @file How processes of ours are started: with the host's own executable, or the one that the machine's setting names. */
import { join } from "node:path";
import process from "node:process";
import type * as vscode from "vscode";
import { readSetting } from "./read-setting.ts";

export interface Runtime {
  readonly executable: string;
  readonly environment: NodeJS.ProcessEnv;
  /** A file of the command line's bundle. */
  readonly file: (name: "spectune.mjs" | "workbench.mjs") => string;
}

/** As the settings are now; a workspace cannot set them. */
export function runtimeOf({ extensionPath }: vscode.ExtensionContext): Runtime {
  const chosen = readSetting("spectune.runtime.executable").trim();
  const more = readSetting("spectune.runtime.environment");
  return {
    executable: chosen === "" ? process.execPath : chosen,
    environment: {
      ...withoutHost(process.env),
      // The desktop's executable is Electron, which is Node where this is set. Plain Node passes over it.
      ...(chosen === "" ? { ELECTRON_RUN_AS_NODE: "1" } : {}),
      ...more,
    },
    file: (name) => join(extensionPath, "dist", "cli", name),
  };
}

/** The host's environment without what is meant for the host itself. */
function withoutHost(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(environment).filter(
      ([name]) => !/^(?:VSCODE_|ELECTRON_|NODE_OPTIONS$|NODE_CHANNEL_)/.test(name),
    ),
  );
}
