/** @file What commands, views and panels share. */
import type * as vscode from "vscode";
import type { Language } from "./language.ts";
import type { Output } from "./output.ts";
import type { Panels } from "./panels/panels.ts";
import type { RunsModel } from "./runs-model.ts";
import type { Runtime } from "./runtime.ts";
import type { ModelsTree } from "./views/models-tree.ts";
import type { RunsTree } from "./views/runs-tree.ts";
import type { WorkbenchClient } from "./workbench-client.ts";

export interface App {
  readonly context: vscode.ExtensionContext;
  readonly output: Output;
  readonly runtime: () => Runtime;
  readonly workbench: WorkbenchClient;
  readonly runs: RunsModel;
  readonly language: Language;
  readonly panels: Panels;
  readonly runsTree: RunsTree;
  readonly modelsTree: ModelsTree;
}
