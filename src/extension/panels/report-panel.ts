/**
 * @file Shows `report.html` in the editor: a browser on this side would not see a file of another machine. The page is
 * the report's own, in the editor's colours, with one script that keeps which report it is and saves its files.
 */
import { randomBytes } from "node:crypto";
import { basename, dirname } from "node:path";
import { readFile } from "node:fs/promises";
import * as vscode from "vscode";
import { decoded } from "../../shared/panels/panel.ts";
import { reportFile, reportPanelType, reportSubject } from "../../shared/panels/report.ts";
import { commonHandlers } from "./common.ts";
import type { HostContext } from "./host.ts";

export interface ReportPanels {
  /** Shows the report of a run's or a sweep's folder as it is now. */
  readonly show: (file: string) => Promise<void>;
  readonly dispose: () => void;
}

export function createReportPanels({
  extension,
  onError,
}: Pick<HostContext, "extension" | "onError">): ReportPanels {
  const shown = new Map<string, vscode.WebviewPanel>();
  const fill = async (panel: vscode.WebviewPanel, file: string): Promise<void> => {
    shown.set(file, panel);
    panel.title = vscode.l10n.t("Report: {0}", basename(dirname(file)));
    panel.iconPath = vscode.Uri.joinPath(extension, "media", "icons", "spectune.svg");
    panel.webview.options = { enableScripts: true, localResourceRoots: [] };
    panel.onDidDispose(() => void shown.delete(file));
    panel.webview.onDidReceiveMessage((message: unknown) => save(message).catch(onError));
    panel.webview.html = pageOf(await readFile(file, "utf8"), file);
  };
  const serializer = vscode.window.registerWebviewPanelSerializer(reportPanelType, {
    deserializeWebviewPanel: async (panel, state: unknown) => {
      const subject = decoded(reportSubject, state);
      // It may be gone by now.
      if (subject === undefined) panel.dispose();
      else await fill(panel, subject.file).catch(() => void panel.dispose());
    },
  });
  return {
    show: async (file) => {
      const html = await readFile(file, "utf8");
      const there = shown.get(file);
      if (there !== undefined) {
        there.webview.html = pageOf(html, file);
        there.reveal();
        return;
      }
      const { Active } = vscode.ViewColumn;
      await fill(vscode.window.createWebviewPanel(reportPanelType, "Spectune", Active), file);
    },
    dispose: () => void serializer.dispose(),
  };
}

/** What a link of the page offers, which a web view cannot store: the editor asks where. */
async function save(message: unknown): Promise<void> {
  const offered = decoded(reportFile, message);
  const match = /^data:[^,;]*;base64,([\w+/=]*)$/.exec(offered?.link ?? "");
  if (offered === undefined || match === null) return;
  const content = Buffer.from(match[1] ?? "", "base64");
  await commonHandlers.save({ name: offered.name, content });
}

/** The editor's colours over the report's own; selectors are stronger than those within its pictures. */
const colors =
  ":root:root{--fg:var(--vscode-foreground);--bg:var(--vscode-editor-background);" +
  "--line:var(--vscode-widget-border,#8886);--soft:var(--vscode-textCodeBlock-background)}" +
  "body svg.chart{background:none}body svg.chart text{fill:var(--fg)}" +
  "body svg.chart .g{stroke:var(--line)}body svg.chart .r{stroke:var(--fg)}";

/** Keeps which report it is, and hands its downloads to the editor before the web view takes them for links. */
const script = (state: string): string =>
  `const editor = acquireVsCodeApi(); editor.setState(${state});` +
  `addEventListener("click", (event) => { const link = event.target.closest("a[download]"); if (!link) return;` +
  `event.preventDefault(); event.stopImmediatePropagation(); editor.postMessage({ name: link.download, link: link.href }); }, true);`;

/** A report forbids itself all scripts: ours alone is let in, by a nonce. */
function pageOf(report: string, file: string): string {
  const nonce = randomBytes(16).toString("base64");
  const state = JSON.stringify({ file }).replaceAll("<", "\\u003c");
  return report
    .replace("default-src 'none';", `default-src 'none'; script-src 'nonce-${nonce}';`)
    .replace(
      "</head>",
      () => `<style>${colors}</style><script nonce="${nonce}">${script(state)}</script></head>`,
    )
    .replace("<body>", '<body data-panel="report">');
}
