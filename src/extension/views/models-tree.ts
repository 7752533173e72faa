/** @file The Models & Adapters view: every model, adapter and Trainer output of the workspace, whatever made it. */
import { basename } from "node:path";
import * as vscode from "vscode";
import type { FoundWeights } from "../../shared/workbench.ts";
import { diskFolders } from "../disk.ts";
import type { Disposes } from "../disposes.ts";
import { allOf } from "../disposes.ts";
import { readSetting } from "../read-setting.ts";
import { bytesText } from "../texts.ts";
import type { WorkbenchClient } from "../workbench-client.ts";
import type { PathItem } from "./path-item.ts";

export interface ModelsTree extends Disposes {
  /** What there is, looked for now. */
  readonly find: () => Promise<readonly FoundWeights[]>;
  readonly refresh: () => void;
}

export function createModelsTree(workbench: WorkbenchClient): ModelsTree {
  const changes = new vscode.EventEmitter<undefined>();
  const find = async (): Promise<readonly FoundWeights[]> => {
    const folders = diskFolders();
    if (folders.length === 0) return [];
    return await workbench.ask("findWeights", {
      folders: folders.map(({ uri }) => uri.fsPath),
      exclude: readSetting("spectune.models.exclude"),
    });
  };
  const provider: vscode.TreeDataProvider<FoundWeights> = {
    onDidChangeTreeData: changes.event,
    getTreeItem: itemOf,
    getChildren: async (found) => (found === undefined ? [...(await find())] : []),
  };
  const view = vscode.window.createTreeView("spectune.models", {
    treeDataProvider: provider,
    canSelectMany: true,
  });
  const refresh = (): void => changes.fire(undefined);
  // Large folders are not watched: what was made since is found when the view is looked at again.
  const shown = view.onDidChangeVisibility(({ visible }) => {
    if (visible) refresh();
  });
  return { find, refresh, ...allOf([view, changes, shown]) };
}

const icons = { model: "package", adapter: "extensions", trainer: "history" } as const;

function itemOf(found: FoundWeights): PathItem {
  const { folder, kind, about, type, rank, bytes, checkpoints } = found;
  const item: PathItem = Object.assign(new vscode.TreeItem(basename(folder)), { path: folder });
  item.id = folder;
  item.contextValue = kind;
  item.iconPath = new vscode.ThemeIcon(icons[kind]);
  item.description = [
    type ?? "",
    rank === undefined ? "" : `r ${rank}`,
    checkpoints === undefined ? "" : vscode.l10n.t("{0} checkpoints", checkpoints),
    about === "" ? "" : basename(about),
    bytes === 0 ? "" : bytesText(bytes),
  ]
    .filter(Boolean)
    .join(" · ");
  item.tooltip = folder;
  return item;
}
