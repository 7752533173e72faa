/** @file The side view of live curves: follows the runs that are chosen, or the newest that trains. */
import type * as vscode from "vscode";
import type { LiveRun, LiveView } from "../../shared/panels/live.ts";
import { livePanel } from "../../shared/panels/live.ts";
import { isLive } from "../../shared/run-state.ts";
import type { Disposes } from "../disposes.ts";
import type { RunsModel } from "../runs-model.ts";
import type { WorkbenchClient } from "../workbench-client.ts";
import { followRuns } from "./follow-runs.ts";
import type { HostContext } from "./host.ts";
import { viewKind } from "./host.ts";

const mostShown = 8;

/** Which runs the view shows; it lives longer than its page. */
export interface LiveChoice {
  readonly choose: (runs: readonly string[]) => void;
}

export function createLivePanel(
  host: HostContext,
  context: vscode.ExtensionContext,
  workbench: WorkbenchClient,
  runs: RunsModel,
): LiveChoice & Disposes {
  const key = "spectune.live.runs";
  let chosen: readonly string[] = context.workspaceState.get<string[]>(key, []);
  let changed: () => void = () => undefined;
  const choose = (folders: readonly string[]): void => {
    chosen = folders.slice(0, mostShown);
    void context.workspaceState.update(key, chosen);
    changed();
  };
  /** The chosen runs that there are, or else the newest that trains, or the newest. */
  const shown = (): readonly string[] => {
    const heads = runs.heads();
    const there = chosen.filter((folder) => heads.some((head) => head.folder === folder));
    if (there.length > 0) return there;
    const [first] = [...heads.filter(({ state }) => isLive(state)), ...heads];
    return first === undefined ? [] : [first.folder];
  };

  const view = viewKind(
    livePanel,
    host,
    () => ({ runs: chosen }),
    (_subject, { tell, common }) => {
      const following = followRuns(workbench, {
        curve: (told) => tell("curve", told),
        evaluations: (told) => tell("evaluations", told),
      });
      let showing: readonly string[] = [];
      const load = async (): Promise<LiveView> => {
        await runs.watch();
        showing = shown();
        const followed = await following.follow(showing);
        return {
          shown: followed.map((run): LiveRun => ({
            ...run,
            label: runs.label(runs.head(run.head.folder) ?? run.head),
          })),
          others: runs
            .heads()
            .filter(({ folder }) => !showing.includes(folder))
            .map((head) => ({ folder: head.folder, label: runs.label(head) })),
        };
      };
      changed = () => tell("changed", null);
      const listening = runs.onChange((heads) => {
        for (const head of heads) if (showing.includes(head.folder)) tell("head", head);
        const now = shown();
        const same = now.length === showing.length && now.every((one) => showing.includes(one));
        if (!same) tell("changed", null);
      });
      return {
        title: "Spectune",
        handlers: {
          ...common,
          load,
          choose: ({ runs: folders }) => {
            chosen = folders.slice(0, mostShown);
            void context.workspaceState.update(key, chosen);
            return load();
          },
        },
        dispose: () => {
          changed = () => undefined;
          listening.dispose();
          following.dispose();
        },
      };
    },
  );
  return { choose, dispose: () => void view.dispose() };
}
