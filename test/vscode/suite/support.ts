/** @file What tests in the extension host share. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import * as vscode from "vscode";
import type { Api } from "../../../src/extension/activate.ts";
import { sentByOurBuild } from "../../../src/shared/wire.ts";

export async function api(): Promise<Api> {
  const extension = vscode.extensions.getExtension("spectune.spectune");
  assert(extension, "The extension is not there.");
  return sentByOurBuild<Api>(await extension.activate());
}

export function workspaceFile(name: string): string {
  const [folder] = vscode.workspace.workspaceFolders ?? [];
  assert(folder);
  return join(folder.uri.fsPath, name);
}

/** What `look` gives once it gives something; fails after a while. */
export async function eventually<T>(
  what: string,
  look: () => T | undefined | Promise<T | undefined>,
  seconds = 60,
): Promise<T> {
  for (const end = Date.now() + 1000 * seconds; Date.now() < end;) {
    const found = await look();
    if (found !== undefined) return found;
    await sleep(100);
  }
  throw new Error(`${what} did not come within ${seconds} s.`);
}
