/** @file The Experiments view: every experiment file of the workspace. */
import { basename } from "node:path";
import * as vscode from "vscode";
import { experimentGlob, ignoredGlob } from "../runs-model.ts";
import type { PathItem } from "./path-item.ts";

export function createExperimentsTree(): vscode.Disposable {
  const changes = new vscode.EventEmitter<undefined>();
  const refresh = (): void => changes.fire(undefined);
  const provider: vscode.TreeDataProvider<vscode.Uri> = {
    onDidChangeTreeData: changes.event,
    getTreeItem: itemOf,
    getChildren: async (uri) =>
      uri === undefined
        ? (await vscode.workspace.findFiles(experimentGlob, ignoredGlob)).toSorted((a, b) =>
            a.path.localeCompare(b.path),
          )
        : [],
  };
  const view = vscode.window.createTreeView("spectune.experiments", {
    treeDataProvider: provider,
  });
  const watcher = vscode.workspace.createFileSystemWatcher(experimentGlob, false, true, false);
  return vscode.Disposable.from(
    view,
    changes,
    watcher,
    watcher.onDidCreate(refresh),
    watcher.onDidDelete(refresh),
    vscode.workspace.onDidChangeWorkspaceFolders(refresh),
  );
}

function itemOf(uri: vscode.Uri): PathItem {
  const name = basename(uri.path).replace(/\.peft\.ya?ml$/, "");
  const item: PathItem = Object.assign(new vscode.TreeItem(name), { path: uri.fsPath });
  item.id = uri.toString();
  // With the name of its folder where several are open.
  const [, folder] = /^(.*)\/[^/]*$/.exec(vscode.workspace.asRelativePath(uri)) ?? [];
  if (folder !== undefined) item.description = folder;
  item.contextValue = "experiment";
  item.iconPath = new vscode.ThemeIcon("beaker");
  item.tooltip = uri.fsPath;
  item.command = { command: "vscode.open", title: vscode.l10n.t("Open"), arguments: [uri] };
  return item;
}
