/** @file An entry of a view that stands for a file or folder: what commands on it act on. */
import type * as vscode from "vscode";

export interface PathItem extends vscode.TreeItem {
  readonly path: string;
}
