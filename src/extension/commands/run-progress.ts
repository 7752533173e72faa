/** @file The notification of a run that was started here: how far it is, a way to stop it, and how it ended. */
import * as vscode from "vscode";
import type { RunHead } from "../../shared/run-head.ts";
import { isLive } from "../../shared/run-state.ts";
import type { App } from "../app.ts";
import { readSetting } from "../read-setting.ts";
import { figureText } from "../texts.ts";
import { textOf } from "../views/status-bar.ts";
import { shownMetric } from "../views/runs-tree.ts";
import { explain } from "./ask.ts";

/** Shows the run until it has ended; where the window goes first, the run goes on. */
export function showRunProgress(app: App, folder: string, ended: Promise<unknown>): void {
  const { runs, output } = app;
  const over = endOf(app, folder);
  ended.then(() => runs.rescan()).catch(output.error);
  over.then((head) => tellEnd(app, head)).catch(output.error);
  if (!readSetting("spectune.run.notification")) return;
  void vscode.window.withProgress(
    {
      location: vscode.ProgressLocation.Notification,
      title: vscode.l10n.t("Training"),
      cancellable: true,
    },
    async (progress, token) => {
      let shown = 0;
      const report = (head: RunHead): void => {
        const share = (100 * head.step) / (head.steps ?? Infinity);
        progress.report({ message: textOf(head), increment: Math.max(0, share - shown) });
        shown = Math.max(shown, share);
      };
      const first = runs.head(folder);
      if (first !== undefined) report(first);
      const listening = runs.onChange((heads) => {
        const head = heads.find((each) => each.folder === folder);
        if (head !== undefined) report(head);
      });
      token.onCancellationRequested(() => {
        vscode.commands.executeCommand("spectune.stop", folder).then(undefined, output.error);
      });
      const stopped = new Promise<void>((resolve) => {
        token.onCancellationRequested(() => resolve());
      });
      await Promise.race([over, stopped]);
      listening.dispose();
    },
  );
}

/** The run's head once it has ended in whatever way, or has been deleted. */
function endOf({ runs }: App, folder: string): Promise<RunHead | undefined> {
  return new Promise((resolve) => {
    const listening = runs.onChange(() => {
      const head = runs.head(folder);
      // A run that has just been made is not owned yet.
      if (head !== undefined && (isLive(head.state) || head.state === "created")) return;
      listening.dispose();
      resolve(head);
    });
  });
}

async function tellEnd({ runs }: App, head: RunHead | undefined): Promise<void> {
  if (head === undefined) return;
  const { t } = vscode.l10n;
  const label = runs.label(head);
  const metric = shownMetric(head);
  const curves = [t("Show Curves"), "spectune.openRun", head.folder] as const;
  const resume = [t("Resume"), "spectune.resume", head.folder] as const;
  if (head.state === "finished")
    await explain(
      metric === undefined
        ? t("{0} has finished.", label)
        : t("{0} has finished: {1} {2}.", label, metric.name, figureText(metric.value)),
      curves,
      [t("Compare"), "spectune.compare"],
    );
  else if (head.death === undefined)
    await explain(t("{0} was stopped after step {1}.", label, head.step), resume);
  else
    await explain(
      [t("{0} died.", label), head.death.message, head.death.remedy ?? ""].join(" ").trim(),
      [t("Show Last Lines"), "spectune.openLog", head.folder],
      ...(head.death.kind === "failed" ? [] : [resume]),
    );
}
