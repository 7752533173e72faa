/** @file Starts the language client; a file of its own, so that the client's code is loaded only with it. */
import type { Executable, LanguageClientOptions } from "vscode-languageclient/node";
import { LanguageClient } from "vscode-languageclient/node";

export async function startClient(
  server: Executable,
  options: LanguageClientOptions,
): Promise<LanguageClient> {
  const client = new LanguageClient("spectune", "Spectune", server, options);
  await client.start();
  return client;
}
