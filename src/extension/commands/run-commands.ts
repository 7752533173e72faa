/** @file Commands on runs and on the Runs view. */
import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import * as vscode from "vscode";
import type { CommandHandlers } from "../../shared/commands.ts";
import { canResume, isLive } from "../../shared/run-state.ts";
import type { App } from "../app.ts";
import { readSetting } from "../read-setting.ts";
import { askRuns } from "./ask.ts";
import { startRun } from "./experiment-commands.ts";
import { showText } from "./show-text.ts";

type Commands = Pick<
  CommandHandlers,
  | "spectune.stop"
  | "spectune.resume"
  | "spectune.openRun"
  | "spectune.compare"
  | "spectune.openReport"
  | "spectune.openExperiment"
  | "spectune.openLog"
  | "spectune.revealRun"
  | "spectune.deleteRun"
  | "spectune.starRun"
  | "spectune.sortRuns"
  | "spectune.filterRuns"
  | "spectune.refresh"
>;

export function runCommands(app: App): Commands {
  const { workbench, runs, panels, runsTree, modelsTree } = app;
  const { t } = vscode.l10n;
  const one = async (
    paths: readonly string[],
    title: string,
    wanted: Parameters<typeof askRuns>[2] = () => true,
  ): Promise<string | undefined> => (await askRuns(app, paths, wanted, title))[0];

  return {
    "spectune.stop": async (paths) => {
      const run = await one(paths, t("Stop which run?"), ({ state }) => isLive(state));
      if (run !== undefined) await workbench.ask("stop", { run });
      return undefined;
    },
    "spectune.resume": async (paths) => {
      const run = await one(paths, t("Go on with which run?"), ({ state }) => canResume(state));
      if (run === undefined) return undefined;
      // The command line finds relative runs from its folder; a path is the run itself.
      const beside = join(dirname(dirname(dirname(run))), "x");
      return await startRun(app, beside, ["run", "--resume", run], basename(run));
    },
    "spectune.openRun": async (paths) => {
      const run = await one(paths, t("Show which run?"));
      if (run === undefined) return undefined;
      panels.live.choose([run]);
      await vscode.commands.executeCommand("spectune.live.focus");
      return undefined;
    },
    "spectune.compare": async (paths) => {
      // A sweep stands for its runs, but for those that only tuned.
      const given = paths.flatMap((path) => {
        const own = runs
          .heads()
          .filter(({ sweep }) => sweep?.folder === path && sweep.kind === "main");
        // In the order of the sweep: the first is what others are set against.
        return own.length === 0 ? [path] : own.map(({ folder }) => folder).toSorted();
      });
      const chosen =
        given.length > 1
          ? given
          : await askRuns(app, [], () => true, t("Compare which runs?"), true);
      if (chosen.length > 0) panels.compare.show({ runs: chosen });
      return undefined;
    },
    "spectune.openReport": async (paths) => {
      const run = await one(paths, t("Whose report?"), ({ has }) => has.includes("report"));
      if (run === undefined) return undefined;
      const file = join(run, "report.html");
      if (existsSync(file)) await panels.report.show(file);
      else
        void vscode.window.showInformationMessage(
          t("{0} has no report yet: it is written at the end.", basename(run)),
        );
      return undefined;
    },
    "spectune.openExperiment": async (paths) => {
      const run = await one(paths, t("Whose experiment?"));
      if (run !== undefined)
        await vscode.window.showTextDocument(vscode.Uri.file(join(run, "experiment.yaml")), {
          preview: true,
        });
      return undefined;
    },
    "spectune.openLog": async (paths) => {
      const run = await one(paths, t("Whose last lines?"));
      if (run === undefined) return undefined;
      const { log, lines } = await workbench.ask("lastLines", { run });
      if (log !== undefined)
        await vscode.window.showTextDocument(vscode.Uri.file(log), { preview: true });
      else
        await showText(
          `${basename(run)} log`,
          lines.length > 0 ? lines.join("\n") : t("This run was not started from this editor."),
        );
      return undefined;
    },
    "spectune.revealRun": async (paths) => {
      const run = await one(paths, t("Reveal which run?"));
      if (run === undefined) return undefined;
      const command = vscode.env.remoteName === undefined ? "revealFileInOS" : "revealInExplorer";
      await vscode.commands.executeCommand(command, vscode.Uri.file(run));
      return undefined;
    },
    "spectune.deleteRun": async (paths) => {
      const chosen = await askRuns(
        app,
        paths,
        ({ state }) => !isLive(state),
        t("Delete which runs?"),
        true,
      );
      const dead = chosen.filter((run) => !isLive(runs.head(run)?.state ?? "created"));
      if (dead.length < chosen.length)
        void vscode.window.showWarningMessage(
          t("A run that trains is not deleted: stop it first."),
        );
      if (dead.length > 0) await deleteRuns(dead);
      await runs.rescan();
      return undefined;
    },
    "spectune.starRun": async (paths) => {
      await runsTree.star(paths);
      return undefined;
    },
    "spectune.sortRuns": async () => {
      const words = { newest: t("Newest first"), name: t("By name"), metric: t("By metric") };
      const picked = await vscode.window.showQuickPick(
        Object.entries(words).map(([value, label]) => ({ label, value })),
        { placeHolder: t("Sort runs, now: {0}", words[readSetting("spectune.runs.sort")]) },
      );
      if (picked !== undefined)
        await vscode.workspace
          .getConfiguration("spectune.runs")
          .update("sort", picked.value, vscode.ConfigurationTarget.Global);
      return undefined;
    },
    "spectune.filterRuns": async () => {
      const text = await vscode.window.showInputBox({
        prompt: t("Show only runs in whose name, settings or state this occurs; empty shows all."),
        value: runsTree.filterText(),
      });
      if (text !== undefined) runsTree.filter(text);
      return undefined;
    },
    "spectune.refresh": async () => {
      modelsTree.refresh();
      await runs.rescan();
      return undefined;
    },
  };
}

async function deleteRuns(folders: readonly string[]): Promise<void> {
  const { t } = vscode.l10n;
  const names = folders.map((folder) => basename(folder)).join(", ");
  const toTrash = t("Move to Trash");
  const chosen = await vscode.window.showWarningMessage(
    folders.length === 1 ? t("Delete the run {0}?", names) : t("Delete {0} runs?", folders.length),
    { modal: true, detail: names },
    toTrash,
  );
  if (chosen !== toTrash) return;
  for (const folder of folders) await removeFolder(folder);
}

/** To the trash; where there is none, such as on a server, for good, after another question. */
async function removeFolder(folder: string): Promise<void> {
  const { t } = vscode.l10n;
  const uri = vscode.Uri.file(folder);
  try {
    await vscode.workspace.fs.delete(uri, { recursive: true, useTrash: true });
  } catch {
    const forGood = t("Delete for Good");
    const chosen = await vscode.window.showWarningMessage(
      t("{0} cannot be moved to a trash here.", basename(folder)),
      { modal: true },
      forGood,
    );
    if (chosen === forGood)
      await vscode.workspace.fs.delete(uri, { recursive: true, useTrash: false });
  }
}
