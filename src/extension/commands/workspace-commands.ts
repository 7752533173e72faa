/** @file Commands that make files: the sample, a new experiment, a conversion. */
import { existsSync } from "node:fs";
import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, dirname, join, relative } from "node:path";
import * as vscode from "vscode";
import type { CommandHandlers } from "../../shared/commands.ts";
import { isRecord } from "../../shared/wire.ts";
import type { App } from "../app.ts";
import { askFolder } from "./ask.ts";

type Commands = Pick<
  CommandHandlers,
  "spectune.createSample" | "spectune.newExperiment" | "spectune.convert" | "spectune.showOutput"
>;

export function workspaceCommands(app: App): Commands {
  const { context, language, output } = app;
  const { t } = vscode.l10n;
  return {
    "spectune.createSample": async ([given]) => {
      const target = given ?? (await askSampleFolder());
      if (target === undefined) return undefined;
      if (existsSync(join(target, "lora.peft.yaml")))
        throw new Error(t("There is a sample in {0} already.", target));
      await mkdir(target, { recursive: true });
      await cp(join(context.extensionPath, "media", "sample"), target, { recursive: true });
      await showSample(target);
      return target;
    },
    "spectune.newExperiment": async ([model]) => {
      const folder = await askFolder();
      if (folder === undefined) return undefined;
      const name = await vscode.window.showInputBox({
        title: t("New Experiment"),
        prompt: t("Its name; the file ends in .peft.yaml"),
        value: "experiment",
        validateInput: (text) =>
          /^[\w.-]+$/.test(text) ? undefined : t("Letters, digits, dots and dashes."),
      });
      if (name === undefined) return undefined;
      const file = join(folder, `${name.replace(/(\.peft)?\.ya?ml$/, "")}.peft.yaml`);
      if (existsSync(file)) throw new Error(t("There is a file {0} already.", basename(file)));
      await writeFile(file, experimentText(model, folder));
      await vscode.window.showTextDocument(vscode.Uri.file(file));
      return undefined;
    },
    "spectune.convert": async ([given]) => {
      const file = given ?? vscode.window.activeTextEditor?.document.uri.fsPath;
      if (file === undefined) return undefined;
      const client = await language.client();
      const converted: unknown = await client.sendRequest("spectune/convert", {
        name: basename(file),
        text: await readFile(file, "utf8"),
      });
      const text = isRecord(converted) ? converted["text"] : undefined;
      if (typeof text !== "string")
        throw new Error(t("{0} is no configuration that can be converted.", basename(file)));
      const document = await vscode.workspace.openTextDocument({
        language: "spectune",
        content: text,
      });
      await vscode.window.showTextDocument(document);
      return undefined;
    },
    "spectune.showOutput": () => {
      output.show();
      return undefined;
    },
  };
}

async function askSampleFolder(): Promise<string | undefined> {
  const { t } = vscode.l10n;
  const [open] = vscode.workspace.workspaceFolders ?? [];
  const inside = open?.uri.scheme === "file" ? join(open.uri.fsPath, "spectune-sample") : undefined;
  const home = join(homedir(), "spectune-sample");
  const picked = await vscode.window.showQuickPick(
    [
      ...(inside === undefined
        ? []
        : [{ label: t("In the open folder"), description: inside, path: inside }]),
      { label: t("In the home folder"), description: home, path: home },
      { label: t("Another folder…"), description: "", path: "" },
    ],
    { placeHolder: t("Where does the sample workspace go?") },
  );
  if (picked === undefined || picked.path !== "") return picked?.path;
  const [folder] =
    (await vscode.window.showOpenDialog({ canSelectFiles: false, canSelectFolders: true })) ?? [];
  return folder === undefined ? undefined : join(folder.fsPath, "spectune-sample");
}

/** Opens the sample's experiment where its folder is open, else the folder. */
async function showSample(target: string): Promise<void> {
  const uri = vscode.Uri.file(target);
  if (vscode.workspace.getWorkspaceFolder(uri) !== undefined) {
    await vscode.window.showTextDocument(vscode.Uri.joinPath(uri, "lora.peft.yaml"));
    return;
  }
  const open = vscode.l10n.t("Open Folder");
  const chosen = await vscode.window.showInformationMessage(
    vscode.l10n.t("The sample lies in {0}.", target),
    open,
  );
  if (chosen === open) await vscode.commands.executeCommand("vscode.openFolder", uri);
}

/** The smallest experiment; completion and checks say the rest. */
function experimentText(model: string | undefined, folder: string): string {
  const isAdapter = model !== undefined && existsSync(join(model, "adapter_config.json"));
  const path = (target: string): string => {
    const inside = relative(folder, /\.json$/.test(target) ? dirname(target) : target);
    return `./${inside.replaceAll("\\", "/")}`;
  };
  return [
    "version: 1",
    `model: ${model === undefined || isAdapter ? "./base" : path(model)}`,
    "data:",
    "  train: ./data/train.jsonl",
    "  eval: ./data/eval.jsonl",
    "method:",
    "  type: lora",
    ...(isAdapter ? [`  from: ${path(model)}`] : ["  r: 8", "  alpha: 2r"]),
    "  target_modules: all-linear",
    "train:",
    "  num_train_epochs: 1",
    "  batch_size: 16",
    "  learning_rate: 2.0e-4",
    "",
  ].join("\n");
}
