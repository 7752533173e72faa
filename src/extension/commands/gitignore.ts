/** @file Offers once to keep run folders out of git. */
import { existsSync } from "node:fs";
import { appendFile, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import * as vscode from "vscode";

const line = ".spectune/";

export async function offerGitignore(
  context: vscode.ExtensionContext,
  experiment: string,
): Promise<void> {
  const folder = repositoryOf(experiment);
  if (folder === undefined) return;
  const key = `spectune.gitignore.${folder}`;
  const file = join(folder, ".gitignore");
  const text = await readFile(file, "utf8").catch(() => "");
  const ignored = text
    .split("\n")
    .some((each) => /^\/?(?:\*\*\/)?\.spectune\/?$/.test(each.trim()));
  if (ignored || context.workspaceState.get<boolean>(key) === true) return;
  await context.workspaceState.update(key, true);
  const add = vscode.l10n.t("Add to .gitignore");
  const chosen = await vscode.window.showInformationMessage(
    vscode.l10n.t("Runs lie in {0}, which git does not ignore yet.", ".spectune"),
    add,
  );
  if (chosen !== add) return;
  await appendFile(file, `${text === "" || text.endsWith("\n") ? "" : "\n"}${line}\n`);
}

function repositoryOf(file: string): string | undefined {
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    if (existsSync(join(folder, ".git"))) return folder;
    if (dirname(folder) === folder) return undefined;
  }
}
