/** @file The token view's host: loads anew when the experiment is saved. */
import { basename } from "node:path";
import * as vscode from "vscode";
import { tokensPanel } from "../../shared/panels/tokens.ts";
import type { WorkbenchClient } from "../workbench-client.ts";
import type { HostContext, PanelKind } from "./host.ts";
import { panelKind } from "./host.ts";

export function createTokensPanel(
  host: HostContext,
  workbench: WorkbenchClient,
): PanelKind<typeof tokensPanel> {
  return panelKind(tokensPanel, host, ({ file }, { tell, common }) => {
    const saved = vscode.workspace.onDidSaveTextDocument(({ uri }) => {
      if (uri.fsPath === file) tell("changed", null);
    });
    return {
      title: vscode.l10n.t("Tokens: {0}", basename(file)),
      handlers: {
        ...common,
        load: ({ from, count }) => workbench.ask("tokens", { file, from, count }),
        cancel: () => null,
      },
      dispose: () => void saved.dispose(),
    };
  });
}
