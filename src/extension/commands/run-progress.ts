/** @file The notification of a run that was started here: how far it is, a way to stop it, and how it ended. */
import { readFile } from "node:fs/promises";
import * as vscode from "vscode";
import { messageOf } from "../../shared/errors.ts";
import type { RunHead } from "../../shared/run-head.ts";
import { isLive } from "../../shared/run-state.ts";
import type { App } from "../app.ts";
import type { Launched } from "../launch.ts";
import { readSetting } from "../read-setting.ts";
import { reasonOf } from "../reason.ts";
import { figureText } from "../texts.ts";
import { textOf } from "../views/status-bar.ts";
import { shownMetric } from "../views/runs-tree.ts";
import { explain } from "./ask.ts";

export interface BegunRun {
  readonly folder: string;
  /** The last attempt before this process: what its record says of that is not meant. */
  readonly after: number;
  readonly launched: Launched;
}

/** Shows the run until it has ended; where the window goes first, the run goes on. */
export function showRunProgress(app: App, begun: BegunRun): void {
  const { runs, output } = app;
  const { folder, after, launched } = begun;
  const over = endOf(app, begun);
  over.then((head) => tellEnd(app, head)).catch(output.error);
  launched.ended
    .then(async (code) => {
      await runs.rescan();
      // It ended before it could take the run: the record says nothing of it.
      if (code !== 0 && (runs.head(folder)?.attempt ?? 0) <= after)
        throw new Error(reasonOf(await readFile(launched.log, "utf8")));
    })
    .catch((error: unknown) => {
      output.error(error);
      void vscode.window.showErrorMessage(messageOf(error));
    });
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
function endOf({ runs }: App, { folder, after, launched }: BegunRun): Promise<RunHead | undefined> {
  return new Promise((resolve) => {
    const listening = runs.onChange(() => {
      const head = runs.head(folder);
      if (head !== undefined && (isLive(head.state) || head.attempt <= after)) return;
      listening.dispose();
      resolve(head);
    });
    launched.ended
      .then(() => runs.rescan())
      .then(
        () => {
          if ((runs.head(folder)?.attempt ?? 0) > after) return;
          listening.dispose();
          resolve(undefined);
        },
        () => resolve(undefined),
      );
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
