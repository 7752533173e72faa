/** @file A sweep in the Runs view: its runs below it, how many of them are over, and the best figure among them. */
import * as vscode from "vscode";
import type { RunHead, SweepPlace } from "../../shared/run-head.ts";
import { isLive } from "../../shared/run-state.ts";
import type { PathItem } from "./path-item.ts";

export interface SweepNode {
  /** What commands act on, as for a run. */
  readonly folder: string;
  readonly sweep: SweepPlace;
  /** Those that have begun and are shown, in the order of the view. */
  readonly heads: readonly RunHead[];
}

/** Sweeps in place of their runs, each where its first run stands. */
export function grouped(heads: readonly RunHead[]): readonly (RunHead | SweepNode)[] {
  const groups = Map.groupBy(heads, ({ folder, sweep }) => sweep?.folder ?? folder);
  return [...groups.values()].flatMap((group): readonly (RunHead | SweepNode)[] => {
    const sweep = group[0]?.sweep;
    return sweep === undefined ? group : [{ folder: sweep.folder, sweep, heads: group }];
  });
}

export function isSweep(element: RunHead | SweepNode): element is SweepNode {
  return "heads" in element;
}

export function sweepItem({ sweep, heads }: SweepNode): PathItem {
  const item: PathItem = Object.assign(
    new vscode.TreeItem(sweep.name, vscode.TreeItemCollapsibleState.Collapsed),
    { path: sweep.folder },
  );
  const live = heads.some(({ state }) => isLive(state));
  const over = heads.filter(({ state }) => state === "finished").length;
  const broken = heads.filter(({ state }) => state === "failed" || state === "crashed").length;
  item.id = sweep.folder;
  item.contextValue = "sweep";
  item.iconPath = live
    ? new vscode.ThemeIcon("sync~spin", new vscode.ThemeColor("charts.blue"))
    : new vscode.ThemeIcon("run-all");
  item.description = [
    vscode.l10n.t("{0} of {1} runs", over, sweep.runs),
    broken === 0 ? "" : vscode.l10n.t("{0} failed", broken),
  ]
    .filter(Boolean)
    .join(" · ");
  item.tooltip = sweep.folder;
  item.accessibilityInformation = { label: `${sweep.name}, ${item.description}` };
  return item;
}
