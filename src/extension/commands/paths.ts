/** @file What a command was called on, as paths, however it was called: palette, lens, tree, explorer, another extension. */
import { fileURLToPath } from "node:url";
import * as vscode from "vscode";
import { isRecord } from "../../shared/wire.ts";

/** Views and the explorer give the entry and then the whole selection; lenses an address; others a path. */
export function pathsOf(args: readonly unknown[]): readonly string[] {
  const [one, all] = args;
  const chosen = Array.isArray(all) && all.length > 0 ? all : [one];
  return [...new Set(chosen.flatMap((each: unknown) => pathOf(each)))];
}

/** The address of something that is on no disk; a drive of Windows has one letter. */
export function isElsewhere(value: unknown): boolean {
  if (value instanceof vscode.Uri) return value.scheme !== "file";
  return typeof value === "string" && /^(?!file:)[a-z][a-z0-9+.-]+:/i.test(value);
}

function pathOf(value: unknown): readonly string[] {
  if (value instanceof vscode.Uri) return value.scheme === "file" ? [value.fsPath] : [];
  if (typeof value === "string") {
    if (value.startsWith("file://")) return [fileURLToPath(value)];
    return isElsewhere(value) ? [] : [value];
  }
  if (Array.isArray(value)) return value.flatMap((each: unknown) => pathOf(each));
  if (!isRecord(value)) return [];
  // Entries of the Runs and Models views are the runs and models themselves.
  for (const key of ["folder", "path", "fsPath"]) {
    const path = value[key];
    if (typeof path === "string") return [path];
  }
  return [];
}
