/** @file The hosts of the spectra, intruder and quantize panels: they call the commands and hand their JSON on. */
import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import * as vscode from "vscode";
import type { AnalysisSource } from "../../shared/analysis.ts";
import { intrudersPanel } from "../../shared/panels/intruders.ts";
import { quantizePanel } from "../../shared/panels/quantize.ts";
import { spectraPanel } from "../../shared/panels/spectra.ts";
import type { ArrayPlace } from "../../shared/panels/work.ts";
import { isContributed } from "../contributed.ts";
import type { Runtime } from "../runtime.ts";
import type { WorkbenchClient } from "../workbench-client.ts";
import type { AnalysisSubject, AnalysisWork } from "./analysis-work.ts";
import { analysisWork } from "./analysis-work.ts";
import type { HostContext, PanelKind } from "./host.ts";
import { panelKind } from "./host.ts";

export interface AnalysisPanels {
  readonly spectra: PanelKind<typeof spectraPanel>;
  readonly intruders: PanelKind<typeof intrudersPanel>;
  readonly quantize: PanelKind<typeof quantizePanel>;
}

export function createAnalysisPanels(
  host: HostContext,
  context: vscode.ExtensionContext,
  workbench: WorkbenchClient,
  runtime: () => Runtime,
): AnalysisPanels {
  /** What every one of these panels may ask beside its own requests. */
  const workHandlers = (work: AnalysisWork) => ({
    array: ({ file, tensor }: ArrayPlace) => workbench.ask("array", { file, tensor }),
    cancel: () => {
      work.cancel();
      return null;
    },
  });
  return {
    spectra: panelKind(spectraPanel, host, ({ source }, { tell, common }) => {
      const work = analysisWork(context.workspaceState, runtime, subjectOf(source), {
        progress: (progress) => tell("progress", progress),
        ended: (end) => tell("ended", end),
        changed: () => tell("changed", null),
      });
      return {
        title: vscode.l10n.t("Spectra: {0}", labelOf(source)),
        handlers: {
          ...common,
          load: async () => ({
            source,
            label: labelOf(source),
            documents: await work.documents(["spectra"]),
            working: work.working(),
          }),
          ...workHandlers(work),
          compute: ({ matrices }) => {
            const only = matrices === "" ? [] : [`--matrices=${matrices}`];
            work.begin(["spectra", ...sideArguments(source), ...only]);
            return null;
          },
        },
        dispose: work.cancel,
      };
    }),
    intruders: panelKind(intrudersPanel, host, ({ source }, { tell, common }) => {
      const work = analysisWork(context.workspaceState, runtime, subjectOf(source), {
        progress: (progress) => tell("progress", progress),
        ended: (end) => tell("ended", end),
        changed: () => tell("changed", null),
      });
      return {
        title: vscode.l10n.t("Intruders: {0}", labelOf(source)),
        handlers: {
          ...common,
          load: async () => ({
            source,
            label: labelOf(source),
            documents: await work.documents(["intruders", "mitigat"]),
            working: work.working(),
            canMitigate: isContributed(context, "spectune.mitigate") && isOneTuned(source),
          }),
          ...workHandlers(work),
          count: ({ threshold, top, exact, controls }) => {
            work.begin([
              "intruders",
              ...sideArguments(source),
              `--threshold=${threshold}`,
              `--top=${top}`,
              ...(exact ? ["--exact"] : []),
              ...(controls ? ["--controls=3"] : []),
            ]);
            return null;
          },
          mitigate: async ({ keep, which, threshold, top }) => {
            const out = await vscode.window.showSaveDialog({
              title: vscode.l10n.t("Where does the mitigated model go?"),
              defaultUri: vscode.Uri.file(`${subjectOf(source).folder}-mitigated`),
            });
            const data = out === undefined ? undefined : await measuredOn(source);
            if (out === undefined || data === undefined) tell("ended", { cancelled: true });
            else
              work.begin([
                "mitigate",
                ...sideArguments(source),
                ...data,
                `--keep=${keep}`,
                `--which=${which}`,
                `--threshold=${threshold}`,
                `--top=${top}`,
                `--out=${out.fsPath}`,
              ]);
            return null;
          },
        },
        dispose: work.cancel,
      };
    }),
    quantize: panelKind(quantizePanel, host, ({ model }, { tell, common }) => {
      const work = analysisWork(
        context.workspaceState,
        runtime,
        { folder: model, isRun: false },
        {
          progress: (progress) => tell("progress", progress),
          ended: (end) => tell("ended", end),
          changed: () => tell("changed", null),
        },
      );
      return {
        title: vscode.l10n.t("Quantize: {0}", basename(model)),
        handlers: {
          ...common,
          load: async () => ({
            model,
            label: basename(model),
            documents: await work.documents(["quantize"]),
            working: work.working(),
            quantizers: await workbench.ask("quantizers", null),
          }),
          ...workHandlers(work),
          compare: async ({ quantizers, samples }) => {
            const calibration = await dataOption("calibration", vscode.l10n.t("Calibration data"));
            if (calibration === undefined) tell("ended", { cancelled: true });
            else
              work.begin([
                "quantize",
                model,
                `--compare=${quantizers.join(",")}`,
                ...calibration,
                `--samples=${samples}`,
              ]);
            return null;
          },
        },
        dispose: work.cancel,
      };
    }),
  };
}

/** On what a mitigation is measured: a run has its own test data; of others it is asked. Undefined where that was given up. */
async function measuredOn(source: AnalysisSource): Promise<readonly string[] | undefined> {
  if (source.type === "run") return [];
  const { t } = vscode.l10n;
  const choose = t("Choose examples of the task…");
  const without = t("Do not measure");
  const picked = await vscode.window.showQuickPick([choose, without], {
    placeHolder: t("Measure what it gives and costs?"),
  });
  if (picked === without) return ["--no-measure"];
  return picked === undefined ? undefined : await dataOption("data", t("Examples of the task"));
}

/** Data that are asked for, as an option of the command line. */
async function dataOption(name: string, title: string): Promise<readonly string[] | undefined> {
  const filters = { [vscode.l10n.t("Data")]: ["jsonl", "csv", "parquet", "txt"] };
  const [file] = (await vscode.window.showOpenDialog({ title, filters })) ?? [];
  return file === undefined ? undefined : [`--${name}=${file.fsPath}`];
}

/** Whether it is one tuned model: not a model alone, nor a sweep with all its runs. */
function isOneTuned(source: AnalysisSource): boolean {
  if (source.type === "run") return !existsSync(join(source.folder, "sweep.json"));
  return source.type !== "model";
}

/** The folder whose analysis it is. */
function subjectOf(source: AnalysisSource): AnalysisSubject {
  return {
    folder: source.type === "pair" ? source.tuned : source.folder,
    isRun: source.type === "run",
  };
}

function labelOf(source: AnalysisSource): string {
  return source.type === "pair"
    ? `${basename(source.base)} → ${basename(source.tuned)}`
    : basename(source.folder);
}

/** `MODEL [--adapter DIR | --tuned DIR | --checkpoints DIR] | --run RUN`, as the lab's commands take it. */
function sideArguments(source: AnalysisSource): readonly string[] {
  switch (source.type) {
    case "run":
      return [`--run=${source.folder}`];
    case "pair":
      return [source.base, `--tuned=${source.tuned}`];
    case "adapter":
      return [...base(source), `--adapter=${source.folder}`];
    case "checkpoints":
      return [...base(source), `--checkpoints=${source.folder}`];
    case "model":
      return [source.folder];
  }
}

function base({ base: named }: { readonly base?: string }): readonly string[] {
  return named === undefined ? [] : [named];
}
