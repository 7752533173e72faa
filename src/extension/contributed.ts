/** @file Which commands this build offers: those in its package.json, from which what the command line lacks is left out. */
import type * as vscode from "vscode";
import { isRecord } from "../shared/wire.ts";

export function isContributed({ extension }: vscode.ExtensionContext, command: string): boolean {
  return contributedCommands(extension.packageJSON).has(command);
}

const known = new WeakMap<object, ReadonlySet<string>>();

function contributedCommands(manifest: unknown): ReadonlySet<string> {
  if (!isRecord(manifest)) return new Set();
  const there = known.get(manifest);
  if (there !== undefined) return there;
  const contributes = manifest["contributes"];
  const list: unknown = isRecord(contributes) ? contributes["commands"] : [];
  const ids = new Set(
    (Array.isArray(list) ? list : []).flatMap((each: unknown) =>
      isRecord(each) && typeof each["command"] === "string" ? [each["command"]] : [],
    ),
  );
  known.set(manifest, ids);
  return ids;
}
