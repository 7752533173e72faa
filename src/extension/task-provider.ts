/** @file The task type `spectune`: a command of the command line as a task, for runs that belong to a terminal. */
import { dirname, resolve } from "node:path";
import * as vscode from "vscode";
import { experimentGlob, ignoredGlob } from "./runs-model.ts";
import type { Runtime } from "./runtime.ts";

/** What tasks.json says. */
interface Definition extends vscode.TaskDefinition {
  readonly command: string;
  readonly file?: string;
  readonly args?: readonly string[];
}

export function registerTasks(runtime: () => Runtime): vscode.Disposable {
  return vscode.tasks.registerTaskProvider("spectune", {
    provideTasks: async () => {
      if (!vscode.workspace.isTrusted) return [];
      const files = await vscode.workspace.findFiles(experimentGlob, ignoredGlob);
      return files.flatMap((uri) => {
        const file = vscode.workspace.asRelativePath(uri, false);
        const folder = vscode.workspace.getWorkspaceFolder(uri);
        return folder === undefined || uri.scheme !== "file"
          ? []
          : ["run", "check", "plan"].map((command) =>
              taskOf({ type: "spectune", command, file }, folder, runtime()),
            );
      });
    },
    resolveTask: ({ definition, scope }) => {
      const known = definitionOf(definition);
      return known !== undefined && typeof scope === "object"
        ? taskOf(known, scope, runtime())
        : undefined;
    },
  });
}

function definitionOf(definition: vscode.TaskDefinition): Definition | undefined {
  const { command, file, args }: Readonly<Record<string, unknown>> = definition;
  if (typeof command !== "string") return undefined;
  return {
    type: "spectune",
    command,
    ...(typeof file === "string" ? { file } : {}),
    ...(Array.isArray(args) ? { args: args.map(String) } : {}),
  };
}

function taskOf(
  definition: Definition,
  folder: vscode.WorkspaceFolder,
  runtime: Runtime,
): vscode.Task {
  const { command, file, args = [] } = definition;
  const path = file === undefined ? undefined : resolve(folder.uri.fsPath, file);
  const environment = Object.entries(runtime.environment).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  );
  return new vscode.Task(
    definition,
    folder,
    [command, file ?? ""].filter(Boolean).join(" "),
    "spectune",
    new vscode.ProcessExecution(
      runtime.executable,
      [runtime.file("spectune.mjs"), command, ...(path === undefined ? [] : [path]), ...args],
      {
        cwd: path === undefined ? folder.uri.fsPath : dirname(path),
        env: Object.fromEntries(environment),
      },
    ),
    ["$spectune"],
  );
}
