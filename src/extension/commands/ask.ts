/** @file Asks what a command acts on where it was called on nothing. */
import { basename } from "node:path";
import * as vscode from "vscode";
import type { RunHead } from "../../shared/run-head.ts";
import type { FoundWeights } from "../../shared/workbench.ts";
import type { App } from "../app.ts";
import { diskFolders } from "../disk.ts";
import { languageId } from "../language.ts";
import { experimentGlob, ignoredGlob } from "../runs-model.ts";
import { stateText } from "../views/runs-tree.ts";

/** The experiment of the active editor, the only one, or the one that is picked. */
export async function askExperiment(paths: readonly string[]): Promise<string | undefined> {
  const [given] = paths;
  if (given !== undefined) return given;
  const active = vscode.window.activeTextEditor?.document;
  if (active?.languageId === languageId && active.uri.scheme === "file") return active.uri.fsPath;
  const found = (await vscode.workspace.findFiles(experimentGlob, ignoredGlob)).filter(
    ({ scheme }) => scheme === "file",
  );
  if (found.length === 0) {
    await explain(
      vscode.l10n.t("There is no experiment file (*.peft.yaml) in this workspace."),
      [vscode.l10n.t("New Experiment"), "spectune.newExperiment"],
      [vscode.l10n.t("Create Sample"), "spectune.createSample"],
    );
    return undefined;
  }
  const picked = await vscode.window.showQuickPick(
    found
      .toSorted((a, b) => a.path.localeCompare(b.path))
      .map((uri) => ({
        label: basename(uri.path),
        description: vscode.workspace.asRelativePath(uri),
        path: uri.fsPath,
      })),
    { placeHolder: vscode.l10n.t("Which experiment?") },
  );
  return picked?.path;
}

/** The open folder, or the one of several that is picked; throws where there is none. */
export async function askFolder(): Promise<string | undefined> {
  const [first, ...others] = diskFolders();
  if (first === undefined)
    throw new Error(vscode.l10n.t("Open a folder first: an experiment is a file."));
  const folder = others.length === 0 ? first : await vscode.window.showWorkspaceFolderPick();
  return folder?.uri.fsPath;
}

/** The runs that are picked among those that `wanted` takes. */
export async function askRuns(
  { runs }: Pick<App, "runs">,
  paths: readonly string[],
  wanted: (head: RunHead) => boolean,
  title: string,
  many = false,
): Promise<readonly string[]> {
  if (paths.length > 0) return paths;
  const heads = (await runs.watch()).filter(wanted);
  if (heads.length === 0) {
    void vscode.window.showInformationMessage(vscode.l10n.t("There is no such run."));
    return [];
  }
  const items = heads.map((head) => ({
    label: runs.label(head),
    description: `${stateText(head.state)} · ${head.id}`,
    path: head.folder,
  }));
  if (many) {
    const picked = await vscode.window.showQuickPick(items, {
      placeHolder: title,
      canPickMany: true,
    });
    return picked?.map(({ path }) => path) ?? [];
  }
  const picked = await vscode.window.showQuickPick(items, { placeHolder: title });
  return picked === undefined ? [] : [picked.path];
}

/** A run's folder, an adapter's or a model's, whichever is picked. */
export async function askWeights(
  { runs, modelsTree }: Pick<App, "runs" | "modelsTree">,
  paths: readonly string[],
  kinds: readonly (FoundWeights["kind"] | "run")[],
  title: string,
): Promise<string | undefined> {
  const [given] = paths;
  if (given !== undefined) return given;
  const picking = (async () => {
    const heads = kinds.includes("run") ? await runs.watch() : [];
    const found = await modelsTree.find();
    return [
      ...heads.map((head) => ({
        label: `$(graph-line) ${runs.label(head)}`,
        description: head.id,
        path: head.folder,
      })),
      ...found
        .filter(({ kind }) => kinds.includes(kind))
        .map(({ folder, about }) => ({
          label: `$(package) ${basename(folder)}`,
          description: [about, vscode.workspace.asRelativePath(folder)].filter(Boolean).join(" · "),
          path: folder,
        })),
      { label: vscode.l10n.t("$(folder-opened) Another folder…"), description: "", path: "" },
    ];
  })();
  const picked = await vscode.window.showQuickPick(picking, { placeHolder: title });
  if (picked === undefined || picked.path !== "") return picked?.path;
  const [folder] =
    (await vscode.window.showOpenDialog({
      canSelectFiles: false,
      canSelectFolders: true,
      title,
    })) ?? [];
  return folder?.fsPath;
}

/** A new folder's path that the user gives, beside `near`. */
export async function askNewFolder(near: string, title: string): Promise<string | undefined> {
  const value = await vscode.window.showInputBox({
    title,
    value: near,
    valueSelection: [near.length - basename(near).length, near.length],
    prompt: vscode.l10n.t("A folder that does not exist yet."),
  });
  return value === undefined || value.trim() === "" ? undefined : value.trim();
}

/** A message with commands as its buttons. */
export async function explain(
  message: string,
  ...buttons: readonly (readonly [title: string, command: string, ...args: readonly unknown[]])[]
): Promise<void> {
  const chosen = await vscode.window.showInformationMessage(
    message,
    ...buttons.map(([title]) => title),
  );
  const button = buttons.find(([title]) => title === chosen);
  if (button === undefined) return;
  const [, command, ...args] = button;
  await vscode.commands.executeCommand(command, ...args);
}
