/** @file The Runs view: state, progress and figures of every run; stars first, sorted and filtered as asked. */
import * as vscode from "vscode";
import type { RunHead } from "../../shared/run-head.ts";
import type { RunState } from "../../shared/run-state.ts";
import { isLive } from "../../shared/run-state.ts";
import type { Disposes } from "../disposes.ts";
import { allOf } from "../disposes.ts";
import { readSetting } from "../read-setting.ts";
import type { RunsModel } from "../runs-model.ts";
import { durationText, figureText } from "../texts.ts";
import type { PathItem } from "./path-item.ts";
import type { SweepNode } from "./sweep-item.ts";
import { grouped, isSweep, sweepItem } from "./sweep-item.ts";

export interface RunsTree extends Disposes {
  readonly star: (folders: readonly string[]) => Promise<void>;
  /** Shows only runs in whose name, label or state the text occurs; empty shows all. */
  readonly filter: (text: string) => void;
  readonly filterText: () => string;
}

const starsKey = "spectune.stars";

export function createRunsTree(context: vscode.ExtensionContext, runs: RunsModel): RunsTree {
  const changes = new vscode.EventEmitter<undefined>();
  let wanted = "";
  const stars = (): readonly string[] => context.workspaceState.get<string[]>(starsKey, []);

  const provider: vscode.TreeDataProvider<RunHead | SweepNode> = {
    onDidChangeTreeData: changes.event,
    getTreeItem: (element) =>
      isSweep(element)
        ? sweepItem(element)
        : itemOf(element, runs, stars().includes(element.folder)),
    getChildren: async (element) => {
      if (element !== undefined) return isSweep(element) ? [...element.heads] : [];
      const all = await runs.watch();
      const starred = new Set(stars());
      return [
        ...grouped(
          sorted(all)
            .filter((each) => matches(each, runs.label(each), wanted))
            .toSorted((a, b) => Number(starred.has(b.folder)) - Number(starred.has(a.folder))),
        ),
      ];
    },
  };
  const view = vscode.window.createTreeView("spectune.runs", {
    treeDataProvider: provider,
    canSelectMany: true,
    showCollapseAll: false,
  });
  const refresh = (): void => changes.fire(undefined);
  const subscriptions = [
    view,
    changes,
    runs.onChange(refresh),
    vscode.workspace.onDidChangeConfiguration((change) => {
      if (change.affectsConfiguration("spectune.runs")) refresh();
    }),
  ];
  return {
    star: async (folders) => {
      const before = stars();
      const on = folders.some((folder) => !before.includes(folder));
      const others = before.filter((folder) => !folders.includes(folder));
      await context.workspaceState.update(starsKey, on ? [...others, ...folders] : others);
      refresh();
    },
    filter: (text) => {
      wanted = text.trim().toLowerCase();
      view.message = wanted === "" ? "" : vscode.l10n.t("Only runs with “{0}”", wanted);
      refresh();
    },
    filterText: () => wanted,
    ...allOf(subscriptions),
  };
}

function sorted(heads: readonly RunHead[]): readonly RunHead[] {
  switch (readSetting("spectune.runs.sort")) {
    case "newest":
      return heads;
    case "name":
      return heads.toSorted((a, b) => a.name.localeCompare(b.name));
    case "metric": {
      const value = (head: RunHead): number => shownMetric(head)?.value ?? Infinity;
      return heads.toSorted((a, b) => value(a) - value(b));
    }
  }
}

function matches(head: RunHead, label: string, wanted: string): boolean {
  return `${label} ${head.id} ${head.state}`.toLowerCase().includes(wanted);
}

/** The metric that the setting names; else the test's score, the evaluation's, or the loss. */
export function shownMetric(
  head: RunHead,
): { readonly name: string; readonly value: number } | undefined {
  const named = readSetting("spectune.runs.metric");
  const names = Object.keys(head.metrics);
  const scores = (split: string): string | undefined =>
    names.find((name) => name.startsWith(`${split}.`) && !/\.(?:loss|perplexity)$/.test(name)) ??
    names.find((name) => name === `${split}.loss`);
  const name = named !== "" && names.includes(named) ? named : (scores("test") ?? scores("eval"));
  const value = name === undefined ? head.loss : head.metrics[name];
  return value === undefined ? undefined : { name: name ?? "loss", value };
}

function itemOf(head: RunHead, runs: RunsModel, starred: boolean): PathItem {
  const item: PathItem = Object.assign(
    new vscode.TreeItem(`${starred ? "★ " : ""}${runs.label(head)}`),
    { path: head.folder },
  );
  item.id = head.folder;
  item.description = descriptionOf(head);
  item.contextValue = ["run", head.state, ...head.has].join(".");
  item.iconPath = iconOf(head.state);
  item.tooltip = tooltipOf(head);
  item.command = {
    command: "spectune.openRun",
    title: vscode.l10n.t("Show Live Curves"),
    arguments: [head.folder],
  };
  item.accessibilityInformation = {
    label: `${runs.label(head)}, ${stateText(head.state)}, ${descriptionOf(head)}`,
  };
  return item;
}

function descriptionOf(head: RunHead): string {
  const metric = shownMetric(head);
  const parts = [
    isLive(head.state) && head.steps !== undefined ? `${head.step}/${head.steps}` : "",
    metric === undefined ? "" : `${metric.name} ${figureText(metric.value)}`,
    isLive(head.state) && head.secondsLeft !== undefined
      ? vscode.l10n.t("{0} left", durationText(head.secondsLeft))
      : "",
    head.state === "finished" || isLive(head.state) ? "" : stateText(head.state),
  ];
  return parts.filter(Boolean).join(" · ");
}

function tooltipOf(head: RunHead): vscode.MarkdownString {
  const tooltip = new vscode.MarkdownString();
  const line = (text: string): void => {
    tooltip.appendText(text).appendMarkdown("\n\n");
  };
  line(head.id);
  line(`${stateText(head.state)} · ${head.step}/${head.steps ?? "?"}`);
  if (head.death !== undefined) {
    line(head.death.message);
    if (head.death.remedy !== undefined) line(head.death.remedy);
    if (head.death.lastLines.length > 0)
      tooltip.appendCodeblock(head.death.lastLines.join("\n"), "text");
  }
  for (const [name, value] of Object.entries(head.metrics)) line(`${name} = ${figureText(value)}`);
  return tooltip;
}

export function stateText(state: RunState): string {
  switch (state) {
    case "created":
      return vscode.l10n.t("not begun");
    case "running":
      return vscode.l10n.t("running");
    case "stopping":
      return vscode.l10n.t("stopping");
    case "finished":
      return vscode.l10n.t("finished");
    case "stopped":
      return vscode.l10n.t("stopped");
    case "failed":
      return vscode.l10n.t("failed");
    case "crashed":
      return vscode.l10n.t("died");
    case "stale-unknown":
      return vscode.l10n.t("silent on another machine");
  }
}

function iconOf(state: RunState): vscode.ThemeIcon {
  const [icon, color] = icons[state];
  return new vscode.ThemeIcon(icon, color === undefined ? undefined : new vscode.ThemeColor(color));
}

const icons: { readonly [S in RunState]: readonly [icon: string, color?: string] } = {
  created: ["circle-outline"],
  running: ["sync~spin", "charts.blue"],
  stopping: ["loading~spin", "charts.yellow"],
  finished: ["pass", "testing.iconPassed"],
  stopped: ["debug-pause", "charts.yellow"],
  failed: ["error", "testing.iconFailed"],
  crashed: ["error", "testing.iconErrored"],
  "stale-unknown": ["question", "charts.yellow"],
};
