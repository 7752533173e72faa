/** @file Every panel of this build, ready to be shown. */
import type * as vscode from "vscode";
import type { comparePanel } from "../../shared/panels/compare.ts";
import type { generatePanel } from "../../shared/panels/generate.ts";
import type { tokensPanel } from "../../shared/panels/tokens.ts";
import type { Disposes } from "../disposes.ts";
import { allOf } from "../disposes.ts";
import type { Output } from "../output.ts";
import type { RunsModel } from "../runs-model.ts";
import type { Runtime } from "../runtime.ts";
import type { WorkbenchClient } from "../workbench-client.ts";
import type { AnalysisPanels } from "./analysis-panels.ts";
import { createAnalysisPanels } from "./analysis-panels.ts";
import { createComparePanel } from "./compare-panel.ts";
import { createGeneratePanel } from "./generate-panel.ts";
import type { PanelKind } from "./host.ts";
import { hostContext } from "./host.ts";
import type { LiveChoice } from "./live-panel.ts";
import { createLivePanel } from "./live-panel.ts";
import type { ReportPanels } from "./report-panel.ts";
import { createReportPanels } from "./report-panel.ts";
import { createTensorsEditor } from "./tensors-editor.ts";
import { createTokensPanel } from "./tokens-panel.ts";

export interface Panels extends AnalysisPanels, Disposes {
  readonly live: LiveChoice;
  readonly compare: PanelKind<typeof comparePanel>;
  readonly tokens: PanelKind<typeof tokensPanel>;
  readonly generate: PanelKind<typeof generatePanel>;
  readonly report: ReportPanels;
}

export function createPanels(
  context: vscode.ExtensionContext,
  output: Output,
  runtime: () => Runtime,
  workbench: WorkbenchClient,
  runs: RunsModel,
): Panels {
  const host = hostContext(context.extensionUri, output.error);
  const live = createLivePanel(host, context, workbench, runs);
  const compare = createComparePanel(host, workbench, runs);
  const tokens = createTokensPanel(host, workbench);
  const generate = createGeneratePanel(host, runtime);
  const analysis = createAnalysisPanels(host, context, workbench, runtime);
  const report = createReportPanels(host);
  const editor = createTensorsEditor(host, workbench);
  return {
    ...analysis,
    live,
    compare,
    tokens,
    generate,
    report,
    ...allOf([
      analysis.spectra,
      analysis.intruders,
      analysis.quantize,
      live,
      compare,
      tokens,
      generate,
      report,
      editor,
    ]),
  };
}
