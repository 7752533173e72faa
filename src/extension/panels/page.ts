/** @file The page of a web view: a strict policy, one script, one style sheet, and what the script must know at once. */
import { randomBytes } from "node:crypto";
import * as vscode from "vscode";
import type { Boot } from "../../shared/panels/panel.ts";

/** Where the built pages lie. */
export function pagesFolder(extension: vscode.Uri): vscode.Uri {
  return vscode.Uri.joinPath(extension, "dist", "panels");
}

/** HTML that runs `dist/panels/<panel>.js` and nothing else: no network, no inline script, no frame. */
export function pageOf(webview: vscode.Webview, extension: vscode.Uri, boot: Boot): string {
  const nonce = randomBytes(16).toString("base64");
  const file = (name: string): string =>
    webview.asWebviewUri(vscode.Uri.joinPath(pagesFolder(extension), name)).toString();
  const policy = [
    "default-src 'none'",
    `img-src ${webview.cspSource} blob: data:`,
    `style-src ${webview.cspSource}`,
    `font-src ${webview.cspSource}`,
    `script-src 'nonce-${nonce}'`,
  ].join("; ");
  return `<!DOCTYPE html>
<html lang="${escaped(boot.language)}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="${file(`${boot.panel}.css`)}">
</head>
<body data-panel="${escaped(boot.panel)}">
<script type="application/json" id="boot">${JSON.stringify(boot).replaceAll("<", "\\u003c")}</script>
<script nonce="${nonce}" src="${file(`${boot.panel}.js`)}"></script>
</body>
</html>`;
}

function escaped(text: string): string {
  return text.replaceAll(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
