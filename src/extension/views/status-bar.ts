/** @file The run that trains, in the status bar: step, pace and time left; nothing while none does. */
import * as vscode from "vscode";
import type { RunHead } from "../../shared/run-head.ts";
import { isLive } from "../../shared/run-state.ts";
import type { RunsModel } from "../runs-model.ts";
import { durationText, figureText } from "../texts.ts";

export function createStatusBar(runs: RunsModel): vscode.Disposable {
  let item: vscode.StatusBarItem | undefined;
  const show = (): void => {
    const live = runs.heads().filter(({ state }) => isLive(state));
    const [first] = live;
    if (first === undefined) return item?.hide();
    item ??= vscode.window.createStatusBarItem("spectune.run", vscode.StatusBarAlignment.Left, 10);
    item.name = "Spectune";
    item.text = `$(sync~spin) ${textOf(first)}${live.length > 1 ? ` +${live.length - 1}` : ""}`;
    item.tooltip = live.map((head) => `${runs.label(head)}: ${textOf(head)}`).join("\n");
    item.command = {
      command: "spectune.openRun",
      title: vscode.l10n.t("Show Live Curves"),
      arguments: [first.folder],
    };
    item.show();
  };
  return vscode.Disposable.from(runs.onChange(show), { dispose: () => item?.dispose() });
}

/** `lora 120/188 · loss 0.61 · 34 s left`. */
export function textOf(head: RunHead): string {
  const { name, step, steps, loss, secondsLeft, progress } = head;
  const what = progress === undefined ? "" : phaseText(progress.phase);
  return [
    `${name} ${step}/${steps ?? "?"}`,
    what,
    loss === undefined ? "" : `loss ${figureText(loss)}`,
    secondsLeft === undefined ? "" : vscode.l10n.t("{0} left", durationText(secondsLeft)),
  ]
    .filter(Boolean)
    .join(" · ");
}

function phaseText(phase: NonNullable<RunHead["progress"]>["phase"]): string {
  switch (phase) {
    case "loading":
      return vscode.l10n.t("reading the model");
    case "decomposing":
      return vscode.l10n.t("decomposing weights");
    case "compiling":
      return vscode.l10n.t("compiling");
    case "calibrating":
      return vscode.l10n.t("calibrating");
    case "training":
      return "";
    case "evaluating":
      return vscode.l10n.t("evaluating");
    case "exporting":
      return vscode.l10n.t("exporting");
  }
}
