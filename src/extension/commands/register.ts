/** @file Registers every command of this build; the one place where what a command throws becomes a message. */
import * as vscode from "vscode";
import { messageOf } from "../../shared/errors.ts";
import type { CommandHandlers, CommandId, CommandRow } from "../../shared/commands.ts";
import { commands } from "../../shared/commands.ts";
import type { App } from "../app.ts";
import { isContributed, titleOf } from "../contributed.ts";
import { isVirtual } from "../disk.ts";
import { isElsewhere, pathsOf } from "./paths.ts";

/** Handlers are made when a command is first called: none of their code is needed before. */
export function registerCommands(
  context: vscode.ExtensionContext,
  app: () => App,
): readonly vscode.Disposable[] {
  let made: Promise<CommandHandlers> | undefined;
  const handlers = (): Promise<CommandHandlers> =>
    (made ??= import("./handlers.ts").then(({ createHandlers }) => createHandlers(app())));
  return commandIds()
    .filter((id) => isContributed(context, id))
    .map((id) =>
      vscode.commands.registerCommand(id, async (...args: readonly unknown[]): Promise<unknown> => {
        try {
          const row: CommandRow = commands[id];
          const paths = pathsOf(args);
          const onFiles = row.target !== "nothing" || row.needs !== undefined;
          if (onFiles && paths.length === 0 && (isVirtual() || args.some(isElsewhere))) {
            void vscode.window.showWarningMessage(onDiskText(titleOf(context, id)));
            return undefined;
          }
          if (row.trusted === true && !(await ensureTrust(titleOf(context, id)))) return undefined;
          const all = await handlers();
          return await all[id](paths);
        } catch (error) {
          app().output.error(error);
          void vscode.window.showErrorMessage(messageOf(error));
          return undefined;
        }
      }),
    );
}

export function commandIds(): readonly CommandId[] {
  const known = (id: string): id is CommandId => Object.hasOwn(commands, id);
  return Object.keys(commands).filter(known);
}

function onDiskText(title: string): string {
  return vscode.l10n.t(
    "“{0}” works with files on a disk, and these are in a virtual folder. Writing and checking experiments works here; to run and to look into weights, open the folder on a machine.",
    title,
  );
}

/** Running computes what files say: only where somebody trusts them. */
async function ensureTrust(title: string): Promise<boolean> {
  if (vscode.workspace.isTrusted) return true;
  const manage = vscode.l10n.t("Manage Trust");
  const chosen = await vscode.window.showWarningMessage(
    vscode.l10n.t("“{0}” needs a trusted workspace; editing and looking do not.", title),
    manage,
  );
  if (chosen === manage) await vscode.commands.executeCommand("workbench.trust.manage");
  return false;
}
