/** @file Which commands this build offers: those in its package.json, from which what the command line lacks is left out. */
import type * as vscode from "vscode";
import { isRecord } from "../shared/wire.ts";

export function isContributed({ extension }: vscode.ExtensionContext, command: string): boolean {
  return contributedTitles(extension.packageJSON).has(command);
}

/** What the palette calls a command, in the editor's language. */
export function titleOf({ extension }: vscode.ExtensionContext, command: string): string {
  return contributedTitles(extension.packageJSON).get(command) ?? command;
}

const known = new WeakMap<object, ReadonlyMap<string, string>>();

function contributedTitles(manifest: unknown): ReadonlyMap<string, string> {
  if (!isRecord(manifest)) return new Map();
  const there = known.get(manifest);
  if (there !== undefined) return there;
  const contributes = manifest["contributes"];
  const list: unknown = isRecord(contributes) ? contributes["commands"] : [];
  const titles = new Map(
    (Array.isArray(list) ? list : []).flatMap((each: unknown) =>
      isRecord(each) && typeof each["command"] === "string"
        ? [[each["command"], textOf(each["title"])] as const]
        : [],
    ),
  );
  known.set(manifest, titles);
  return titles;
}

/** A text of a manifest, which may come with its English original. */
function textOf(title: unknown): string {
  if (typeof title === "string") return title;
  return isRecord(title) && typeof title["value"] === "string" ? title["value"] : "";
}
