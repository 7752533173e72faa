/** @file The notification of a sweep that was started here: how many of its runs are over, a way to end it, and how it ended. */
import { readFile } from "node:fs/promises";
import process from "node:process";
import * as vscode from "vscode";
import type { App } from "../app.ts";
import type { Launched } from "../launch.ts";
import { readSetting } from "../read-setting.ts";
import { reasonOf } from "../reason.ts";
import { explain } from "./ask.ts";

export interface BegunSweep {
  readonly folder: string;
  readonly name: string;
  readonly launched: Launched;
}

/** Shows the sweep until its process has ended; where the window goes first, it goes on. */
export function showSweepProgress(app: App, { folder, name, launched }: BegunSweep): void {
  const { runs, output } = app;
  const { t } = vscode.l10n;
  const counts = (): readonly [over: number, all: number] => {
    const own = runs.heads().filter(({ sweep }) => sweep?.folder === folder);
    const over = own.filter(({ state }) => state === "finished").length;
    return [over, own[0]?.sweep?.runs ?? 0];
  };
  let isCancelled = false;
  const over = launched.ended.then(async (code) => {
    await runs.rescan();
    if (code === 0)
      await explain(
        t("{0} has finished: {1} of {2} runs.", name, ...counts()),
        [t("Compare"), "spectune.compare", folder],
        [t("Open Report"), "spectune.openReport", folder],
      );
    else if (!isCancelled) throw new Error(reasonOf(await readFile(launched.log, "utf8")));
  });
  over.catch((error: unknown) => {
    output.error(error);
    void vscode.window.showErrorMessage(error instanceof Error ? error.message : String(error));
  });
  if (!readSetting("spectune.run.notification")) return;
  void vscode.window.withProgress(
    { location: vscode.ProgressLocation.Notification, title: name, cancellable: true },
    async (progress, token) => {
      const report = (): void => progress.report({ message: t("{0} of {1} runs", ...counts()) });
      const listening = runs.onChange(report);
      report();
      token.onCancellationRequested(() => {
        isCancelled = true;
        // As Ctrl+C in a terminal: the run that trains finishes its step and is saved, and no other begins.
        if (launched.pid !== undefined) process.kill(launched.pid, "SIGINT");
      });
      await launched.ended.catch(() => undefined);
      listening.dispose();
    },
  );
}
