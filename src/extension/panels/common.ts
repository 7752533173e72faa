/** @file What any web view may ask: to save what it has drawn, to open a file, to run a command on its run. */
import { basename } from "node:path";
import * as vscode from "vscode";
import type { Contract, Handlers } from "../../shared/channel.ts";
import type { commonRequests } from "../../shared/panels/panel.ts";

type CommonContract = Pick<Contract, "events"> & { readonly requests: typeof commonRequests };

export type CommonHandlers = Handlers<CommonContract>;

export const commonHandlers: CommonHandlers = {
  save: async ({ name, content }) => {
    const [folder] = vscode.workspace.workspaceFolders ?? [];
    const plain = basename(name);
    const target = await vscode.window.showSaveDialog({
      defaultUri:
        folder === undefined ? vscode.Uri.file(plain) : vscode.Uri.joinPath(folder.uri, plain),
    });
    if (target === undefined) return false;
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    await vscode.workspace.fs.writeFile(target, bytes);
    return true;
  },
  openFile: async ({ file }) => {
    await vscode.window.showTextDocument(vscode.Uri.file(file), { preview: true });
    return null;
  },
  runCommand: async ({ command, run }) => {
    await vscode.commands.executeCommand(command, run);
    return null;
  },
  ready: () => null,
};
