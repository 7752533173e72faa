/** @file The language client: started with the first experiment file, for experiment files alone. */
import * as vscode from "vscode";
import type { LanguageClient } from "vscode-languageclient/node";
import { isContributed } from "./contributed.ts";
import { writtenSchemes } from "./disk.ts";
import type { Output } from "./output.ts";
import type { Runtime } from "./runtime.ts";

export const languageId = "spectune";

export interface Language {
  /** The running client, started if need be. */
  readonly client: () => Promise<LanguageClient>;
  readonly dispose: () => void;
}

/** Loads and starts the client when an experiment file is open, or as soon as one is. */
export function createLanguage(
  context: vscode.ExtensionContext,
  runtime: () => Runtime,
  output: Output,
): Language {
  let starting: Promise<LanguageClient> | undefined;
  const client = (): Promise<LanguageClient> => (starting ??= start());

  const start = async (): Promise<LanguageClient> => {
    // A third of a megabyte that an editor without experiment files never loads.
    const { startClient } = await import("./start-client.ts");
    const { executable, environment, file } = runtime();
    return await startClient(
      {
        command: executable,
        args: [file("spectune.mjs"), "lsp", "--stdio"],
        options: { env: environment },
      },
      {
        documentSelector: writtenSchemes().map((scheme) => ({ scheme, language: languageId })),
        outputChannel: output.channel(),
        synchronize: {
          // What checks look at besides the file itself.
          fileEvents: vscode.workspace.createFileSystemWatcher(
            "**/{*.json,*.jsonl,*.csv,*.peft.yaml}",
          ),
        },
        middleware: {
          provideCodeLenses: async (document, token, next) =>
            (await next(document, token))?.filter(
              ({ command }) => command === undefined || isContributed(context, command.command),
            ),
        },
      },
    );
  };
  const isOurs = ({ languageId: id, uri }: vscode.TextDocument): boolean =>
    id === languageId && writtenSchemes().includes(uri.scheme);
  const startLater = (document: vscode.TextDocument): void => {
    if (isOurs(document)) client().catch(output.error);
  };
  const opened = vscode.workspace.onDidOpenTextDocument(startLater);
  vscode.workspace.textDocuments.forEach(startLater);
  return {
    client,
    dispose: () => {
      opened.dispose();
      starting?.then((made) => made.dispose()).catch(output.error);
    },
  };
}
