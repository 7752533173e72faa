/** @file The runs of the workspace as the extension knows them: told by the workbench, asked by views and commands. */
import { dirname, join } from "node:path";
import * as vscode from "vscode";
import type { RunHead } from "../shared/run-head.ts";
import { runLabels } from "../shared/run-labels.ts";
import { diskFolders } from "./disk.ts";
import type { Disposes } from "./disposes.ts";
import type { Output } from "./output.ts";
import type { WorkbenchClient } from "./workbench-client.ts";

export interface RunsModel extends Disposes {
  /** Every run, newest first; as of the last news. */
  readonly heads: () => readonly RunHead[];
  readonly head: (folder: string) => RunHead | undefined;
  /** What a run is called: its experiment, and what tells it from others of that. */
  readonly label: (head: RunHead) => string;
  /** Begins to watch, if need be, and resolves to what there is. */
  readonly watch: () => Promise<readonly RunHead[]>;
  /** Looks for runs folders anew: an experiment was added, or a first run begins. */
  readonly rescan: () => Promise<readonly RunHead[]>;
  readonly onChange: vscode.Event<readonly RunHead[]>;
}

/** Where an experiment file may lie; nothing of what a tool made is looked into. */
export const experimentGlob = "**/*.peft.{yaml,yml}";
export const ignoredGlob = "**/{node_modules,.git,.spectune}/**";

export function createRunsModel(workbench: WorkbenchClient, output: Output): RunsModel {
  const heads = new Map<string, RunHead>();
  const changes = new vscode.EventEmitter<readonly RunHead[]>();
  let labels: ReadonlyMap<string, string> = new Map();
  let watching: Promise<readonly RunHead[]> | undefined;

  const take = (changed: readonly RunHead[]): void => {
    for (const head of changed) heads.set(head.folder, head);
    labels = runLabels([...heads.values()]);
    changes.fire(changed);
  };
  const plainLabel = ({ folder, name }: RunHead): string =>
    [name, labels.get(folder) ?? ""].filter(Boolean).join("  ");
  const sorted = (): readonly RunHead[] =>
    [...heads.values()].toSorted((a, b) => (a.id < b.id ? 1 : -1));
  const rescan = async (): Promise<readonly RunHead[]> => {
    const found = await workbench.ask("watch", { folders: await spectuneFolders(workbench) });
    for (const folder of [...heads.keys()])
      if (!found.some((head) => head.folder === folder)) heads.delete(folder);
    take(found);
    return sorted();
  };
  workbench.on("heads", take);
  workbench.on("gone", (folders) => {
    for (const folder of folders) heads.delete(folder);
    take([]);
  });
  workbench.onRestart(() => {
    if (watching !== undefined) rescan().catch(output.error);
  });
  return {
    heads: sorted,
    head: (folder) => heads.get(folder),
    label: (head) => {
      const label = plainLabel(head);
      const alike = [...heads.values()].filter((other) => plainLabel(other) === label);
      return alike.length > 1 && head.started !== undefined
        ? `${label}  ${timeText(head.started)}`
        : label;
    },
    watch: async () => {
      await (watching ??= rescan());
      return sorted();
    },
    rescan: () => (watching = rescan()),
    onChange: changes.event,
    dispose: () => {
      changes.dispose();
    },
  };
}

/** What tells runs of one experiment apart that differ in nothing else: `14:05`. */
function timeText(milliseconds: number): string {
  return new Date(milliseconds).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
}

/** Every `.spectune` folder that the workspace's experiments would write to. */
async function spectuneFolders(workbench: WorkbenchClient): Promise<readonly string[]> {
  const experiments = (await vscode.workspace.findFiles(experimentGlob, ignoredGlob)).filter(
    ({ scheme }) => scheme === "file",
  );
  const files = new Set([
    ...diskFolders().map(({ uri }) => join(uri.fsPath, "x")),
    ...experiments.map(({ fsPath }) => join(dirname(fsPath), "x")),
  ]);
  const found = await Promise.all(
    [...files].map((file) => workbench.ask("spectuneFolder", { file })),
  );
  return [...new Set(found)];
}
