/** @file Where the editor starts the extension: wiring, and nothing that is not needed at once. */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import type * as vscode from "vscode";
import type { App } from "./app.ts";
import { registerCommands } from "./commands/register.ts";
import { registerTexts } from "./commands/show-text.ts";
import { diskFolders } from "./disk.ts";
import { createLanguage } from "./language.ts";
import { createOutput } from "./output.ts";
import { createPanels } from "./panels/panels.ts";
import { createRunsModel } from "./runs-model.ts";
import { runtimeOf } from "./runtime.ts";
import { registerTasks } from "./task-provider.ts";
import { createExperimentsTree } from "./views/experiments-tree.ts";
import { createModelsTree } from "./views/models-tree.ts";
import { createRunsTree } from "./views/runs-tree.ts";
import { createStatusBar } from "./views/status-bar.ts";
import { createWorkbench } from "./workbench-client.ts";

/** Long enough after the start not to be in its way. */
const quietMs = 1500;

/** What other extensions and tests get. */
export interface Api {
  readonly app: App;
  /** How long {@link activate} took. */
  readonly activation: { readonly milliseconds: number };
}

export function activate(context: vscode.ExtensionContext): Api {
  const start = performance.now();
  const runtime = () => runtimeOf(context);
  const output = createOutput();
  const workbench = createWorkbench(runtime, output);
  const runs = createRunsModel(workbench, output);
  const language = createLanguage(context, runtime, output);
  const panels = createPanels(context, output, runtime, workbench, runs);
  const runsTree = createRunsTree(context, runs);
  const modelsTree = createModelsTree(workbench);
  const app: App = {
    context,
    output,
    runtime,
    workbench,
    runs,
    language,
    panels,
    runsTree,
    modelsTree,
  };
  const looking = setTimeout(() => {
    // Runs that went on while the window was closed are found again, if ever there were any.
    if (hasRuns()) runs.watch().catch(output.error);
  }, quietMs);
  context.subscriptions.push(
    output,
    workbench,
    runs,
    language,
    panels,
    runsTree,
    modelsTree,
    createExperimentsTree(),
    createStatusBar(runs),
    registerTexts(),
    registerTasks(runtime),
    ...registerCommands(context, () => app),
    { dispose: () => clearTimeout(looking) },
  );
  return { app, activation: { milliseconds: performance.now() - start } };
}

/** Whether there are runs in or above a folder of the workspace. */
function hasRuns(): boolean {
  return diskFolders().some(({ uri }) => {
    for (let folder = uri.fsPath; ; folder = dirname(folder)) {
      if (existsSync(join(folder, ".spectune", "runs"))) return true;
      if (dirname(folder) === folder) return false;
    }
  });
}
