/** @file Shows a text of ours beside the editor: read-only, and without the question whether to save it. */
import * as vscode from "vscode";

const scheme = "spectune-text";
const texts = new Map<string, string>();

/** Gives the texts to the editor that asks for them. */
export function registerTexts(): vscode.Disposable {
  return vscode.workspace.registerTextDocumentContentProvider(scheme, {
    provideTextDocumentContent: ({ path }) => texts.get(path) ?? "",
  });
}

export async function showText(title: string, text: string): Promise<void> {
  const uri = vscode.Uri.from({ scheme, path: `/${title}.txt` });
  texts.set(uri.path, text);
  const document = await vscode.workspace.openTextDocument(uri);
  await vscode.window.showTextDocument(document, {
    viewColumn: vscode.ViewColumn.Beside,
    preserveFocus: true,
    preview: true,
  });
}
