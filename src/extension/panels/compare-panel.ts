/** @file The compare panel's host: follows its runs, and asks for the comparison anew when one of them changes state. */
import * as vscode from "vscode";
import { messageOf } from "../../shared/errors.ts";
import type { CompareView } from "../../shared/panels/compare.ts";
import { comparePanel } from "../../shared/panels/compare.ts";
import type { RunsModel } from "../runs-model.ts";
import type { WorkbenchClient } from "../workbench-client.ts";
import { followRuns } from "./follow-runs.ts";
import type { HostContext, PanelKind } from "./host.ts";
import { panelKind } from "./host.ts";

export function createComparePanel(
  host: HostContext,
  workbench: WorkbenchClient,
  runs: RunsModel,
): PanelKind<typeof comparePanel> {
  return panelKind(comparePanel, host, (subject, { tell, common }) => {
    let folders = subject.runs;
    const following = followRuns(workbench, {
      curve: (told) => tell("curve", told),
      evaluations: () => tell("changed", null),
    });
    const load = async (): Promise<CompareView> => {
      await runs.watch();
      const followed = await following.follow(folders);
      const shown = followed.map((run) => ({
        ...run,
        label: runs.label(runs.head(run.head.folder) ?? run.head),
      }));
      try {
        return { runs: shown, comparison: await workbench.ask("compare", { runs: folders }) };
      } catch (error) {
        return { runs: shown, refusal: messageOf(error) };
      }
    };
    const states = new Map<string, string>();
    const listening = runs.onChange((heads) => {
      for (const { folder, state } of heads) {
        if (!folders.includes(folder)) continue;
        if (states.has(folder) && states.get(folder) !== state) tell("changed", null);
        states.set(folder, state);
      }
    });
    return {
      title: vscode.l10n.t("Compare {0} runs", folders.length),
      handlers: {
        ...common,
        load,
        choose: ({ runs: others }) => {
          folders = others;
          return load();
        },
      },
      dispose: () => {
        listening.dispose();
        following.dispose();
      },
    };
  });
}
