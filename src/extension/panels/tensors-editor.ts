/** @file The read-only editor of safetensors files: the header as a table, histograms on demand. */
import * as vscode from "vscode";
import { tensorsPanel } from "../../shared/panels/tensors.ts";
import type { WorkbenchClient } from "../workbench-client.ts";
import type { HostContext } from "./host.ts";
import { attach, viewType } from "./host.ts";

export function createTensorsEditor(
  host: HostContext,
  workbench: WorkbenchClient,
): vscode.Disposable {
  return vscode.window.registerCustomEditorProvider(viewType(tensorsPanel), {
    openCustomDocument: (uri): vscode.CustomDocument => ({ uri, dispose: () => undefined }),
    resolveCustomEditor: ({ uri }, panel) => {
      const file = uri.fsPath;
      panel.webview.options = host.webviewOptions;
      const session = attach(
        panel.webview,
        tensorsPanel,
        host,
        (_subject, { tell, common }) => {
          const watcher = vscode.workspace.createFileSystemWatcher(
            new vscode.RelativePattern(vscode.Uri.joinPath(uri, ".."), "*.safetensors"),
          );
          watcher.onDidChange((changed) => {
            if (changed.fsPath === file) tell("changed", null);
          });
          return {
            title: file,
            handlers: {
              ...common,
              load: () => workbench.ask("tensors", { file }),
              histogram: ({ tensor }) => workbench.ask("histogram", { file, tensor }),
            },
            dispose: () => void watcher.dispose(),
          };
        },
        { file },
      );
      panel.onDidDispose(() => session.dispose?.());
    },
  });
}
