/** @file Commands on experiment files: run, plan, queue, sweep, tokens. */
import { readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import * as vscode from "vscode";
import { logsFolder } from "../../shared/workbench.ts";
import type { CommandHandlers } from "../../shared/commands.ts";
import type { App } from "../app.ts";
import { callWithProgress } from "../call.ts";
import { reasonOf } from "../reason.ts";
import { launchDetached } from "../launch.ts";
import { readSetting } from "../read-setting.ts";
import { offerGitignore } from "./gitignore.ts";
import { askExperiment, askFolder } from "./ask.ts";
import { showRunProgress } from "./run-progress.ts";
import { showSweepProgress } from "./sweep-progress.ts";
import { showText } from "./show-text.ts";

type Commands = Pick<
  CommandHandlers,
  | "spectune.run"
  | "spectune.plan"
  | "spectune.runSweep"
  | "spectune.queue"
  | "spectune.runQueue"
  | "spectune.showTokens"
>;

export function experimentCommands(app: App): Commands {
  const { runtime, workbench, panels } = app;
  const run = async (paths: readonly string[]): Promise<string | undefined> => {
    const file = await askExperiment(paths);
    if (file === undefined) return undefined;
    await saveFirst(file);
    const folder = await startRun(app, file, ["run", file], nameOf(file));
    void offerGitignore(app.context, file);
    return folder;
  };
  return {
    "spectune.run": run,
    // The command line runs what a file says: one run, or all of its sweep.
    "spectune.runSweep": async (paths) => {
      await run(paths);
      return undefined;
    },
    "spectune.plan": async (paths) => {
      const file = await askExperiment(paths);
      if (file === undefined) return undefined;
      await saveFirst(file);
      const text = await callWithProgress(
        runtime(),
        vscode.l10n.t("Planning {0}", basename(file)),
        { args: ["plan", file], cwd: dirname(file) },
      );
      if (text !== undefined) await showText(`${nameOf(file)} plan`, text);
      return text;
    },
    "spectune.queue": async (paths) => {
      const file = await askExperiment(paths);
      if (file === undefined) return undefined;
      await saveFirst(file);
      const said = await callWithProgress(
        runtime(),
        vscode.l10n.t("Adding {0} to the queue", basename(file)),
        { args: ["queue", "add", file], cwd: dirname(file) },
      );
      const start = vscode.l10n.t("Run Queue");
      const chosen = await vscode.window.showInformationMessage(said?.trim() ?? "", start);
      if (chosen === start) await runQueue(app, dirname(file));
      return undefined;
    },
    "spectune.runQueue": async () => {
      const folder = await askFolder();
      if (folder !== undefined) await runQueue(app, folder);
      return undefined;
    },
    "spectune.showTokens": async (paths) => {
      const file = await askExperiment(paths);
      if (file === undefined) return undefined;
      await saveFirst(file);
      await workbench.ask("spectuneFolder", { file });
      panels.tokens.show({ file });
      return undefined;
    },
  };
}

/** `lora` of `lora.peft.yaml`. */
export function nameOf(file: string): string {
  return basename(file).replace(/(\.peft)?\.ya?ml$/, "");
}

/** Starts a process that makes or continues a run, and shows it; the run's folder where it came to one. */
export async function startRun(
  app: App,
  beside: string,
  args: readonly string[],
  name: string,
): Promise<string | undefined> {
  const { runtime, workbench, runs, output, panels } = app;
  const spectune = await workbench.ask("spectuneFolder", { file: beside });
  const attempts = new Map((await runs.watch()).map((head) => [head.folder, head.attempt]));
  const launched = launchDetached(runtime(), {
    args,
    cwd: dirname(beside),
    logs: join(spectune, logsFolder),
    name,
    now: new Date(),
  });
  output.info(`started process ${launched.pid ?? "?"}: spectune ${args.join(" ")}`);
  // Until it is known, and for a sweep all along, the side view shows whatever trains.
  panels.live.choose([]);
  const begun = await vscode.window.withProgress(
    { location: vscode.ProgressLocation.Window, title: vscode.l10n.t("Starting {0}", name) },
    () => launched.begun,
  );
  if (begun === undefined) {
    const code = await launched.ended;
    if (code === 0) return undefined;
    throw new Error(reasonOf(await readFile(launched.log, "utf8")));
  }
  await runs.rescan();
  const { kind, folder } = begun;
  if (kind === "sweep") {
    showSweepProgress(app, { folder, name, launched });
    return undefined;
  }
  panels.live.choose([folder]);
  showRunProgress(app, { folder, after: attempts.get(folder) ?? 0, launched });
  return folder;
}

async function runQueue(
  { runtime, workbench, runs, output, panels }: App,
  folder: string,
): Promise<void> {
  const spectune = await workbench.ask("spectuneFolder", { file: join(folder, "x") });
  const launched = launchDetached(runtime(), {
    args: ["queue", "run"],
    cwd: folder,
    logs: join(spectune, logsFolder),
    name: "queue",
    now: new Date(),
  });
  output.info(`started process ${launched.pid ?? "?"}: spectune queue run`);
  panels.live.choose([]);
  await runs.rescan();
}

async function saveFirst(file: string): Promise<void> {
  const document = vscode.workspace.textDocuments.find(({ uri }) => uri.fsPath === file);
  if (document?.isDirty === true && readSetting("spectune.run.saveBefore")) await document.save();
}
