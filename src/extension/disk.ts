/** @file What of the workspace lies on a disk of this machine; folders of other kinds are edited and checked, and no more. */
import * as vscode from "vscode";

/** The open folders that have a path. */
export function diskFolders(): readonly vscode.WorkspaceFolder[] {
  return (vscode.workspace.workspaceFolders ?? []).filter(({ uri }) => uri.scheme === "file");
}

/** There are folders, and none of them has a path. */
export function isVirtual(): boolean {
  const { workspaceFolders: folders = [] } = vscode.workspace;
  return folders.length > 0 && diskFolders().length === 0;
}

/** Schemes of documents that people write experiments in: files, new ones, and those of virtual folders. */
export function writtenSchemes(): readonly string[] {
  const { workspaceFolders: folders = [] } = vscode.workspace;
  return [...new Set(["file", "untitled", ...folders.map(({ uri }) => uri.scheme)])];
}
