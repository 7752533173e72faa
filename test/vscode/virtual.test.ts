/** @file A virtual workspace, in German: experiments are written and checked, what needs a disk says so, nothing throws. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { build } from "esbuild";
import type { Page } from "playwright-core";
import { root } from "../../src/build/editor/code-server.ts";
import { isRecord, parseJson } from "../../src/shared/wire.ts";
import { buildOnce } from "./support/build-once.ts";
import { activeText, replaceText, showViews, takeAction } from "./support/drive.ts";
import type { Editor } from "./support/editor.ts";
import { openEditor } from "./support/editor.ts";
import { shotOf } from "./support/shots.ts";

const bundle = parseJson(readFileSync(join(root, "l10n/bundle.l10n.de.json"), "utf8"));
const manifestTexts = parseJson(readFileSync(join(root, "package.nls.de.json"), "utf8"));

function german(texts: unknown, key: string): string {
  assert(isRecord(texts));
  const text = texts[key];
  assert(typeof text === "string", key);
  return text;
}

describe("a virtual workspace, in German", () => {
  const extension = mkdtempSync(join(tmpdir(), "spectune-memory-"));
  let editor: Editor;
  let page: Page;
  const shot = shotOf(() => page);

  before(async () => {
    await Promise.all([buildOnce(), makeMemoryFiles(extension)]);
    editor = await openEditor({
      folder: "memory:///lab",
      locale: "de",
      beside: [extension],
      settings: { "workbench.startupEditor": "none" },
    });
    page = editor.page;
  });
  after(async () => {
    await editor.close();
    rmSync(extension, { recursive: true, force: true });
  });

  it("names views and welcomes in German", async () => {
    await showViews(page);
    for (const key of ["view.runs", "view.experiments", "view.models"])
      await page.locator(".pane-header", { hasText: german(manifestTexts, key) }).waitFor();
    await shot("german-views");
    // What an empty view offers is in sight without scrolling.
    const buttons = await page.locator(".pane-body .welcome-view .monaco-button").all();
    assert(buttons.length >= 4);
    for (const button of buttons) {
      const view = button.locator("xpath=ancestor::div[contains(@class, 'pane-body')]");
      const [own, whole] = [await button.boundingBox(), await view.boundingBox()];
      assert(own !== null && whole !== null);
      const words = await button.textContent();
      assert(own.y + own.height <= whole.y + whole.height, words ?? "");
    }
  });

  it("checks what is typed, and mends it", async () => {
    // Such folders are not searched; the explorer lists them.
    await page.locator('.activitybar [aria-label^="Explorer"]').first().click();
    await page
      .locator(".explorer-folders-view .monaco-list-row", { hasText: "virtual" })
      .dblclick();
    await page.locator(".codelens-decoration", { hasText: "Planen" }).waitFor({ timeout: 60_000 });
    await replaceText(page, "r: 8", "rr: 8");
    await page.locator(".squiggly-error").first().waitFor({ timeout: 60_000 });
    await page.keyboard.press("F8");
    await page.getByText("`lora` hat kein Feld `rr`").first().waitFor();
    await shot("german-diagnostic");
    await page.keyboard.press("Escape");
    await takeAction(page, "umbenennen");
    await page.locator(".squiggly-error").first().waitFor({ state: "detached" });
    assert.match(await activeText(page), /method: \{ type: lora, r: 8 \}/);
  });

  it("says nothing of files that it cannot see", async () => {
    assert.equal(await page.locator(".squiggly-error, .squiggly-warning").count(), 0);
  });

  it("says why nothing runs here", async () => {
    await page.locator(".codelens-decoration a", { hasText: "Ausführen" }).first().click();
    const said = page.locator(".notification-toast", {
      hasText: /„Versuch ausführen“ arbeitet .* in einem virtuellen Ordner/,
    });
    await said.first().waitFor({ timeout: 30_000 });
    await shot("virtual-run");
  });

  it("lists its commands in German", async () => {
    await page.keyboard.press("F1");
    await page.locator(".quick-input-widget input").fill(">Spectune: ");
    const title = german(manifestTexts, "command.spectune.createSample");
    const rows = page.locator(".quick-input-list .monaco-list-row");
    await rows.filter({ hasText: title }).first().waitFor();
    await shot("german-commands");
    await page.keyboard.press("Escape");
    assert.equal(german(bundle, "Manage Trust"), "Vertrauen verwalten");
  });

  it("has thrown nothing", () => {
    const logs = join(editor.server.scratch, "data/logs");
    const hosts = readdirSync(logs, { recursive: true, encoding: "utf8" })
      .filter((file) => /remoteexthost\.log$|Spectune[^/]*\.log$/.test(file))
      .map((file) => readFileSync(join(logs, file), "utf8"));
    assert(hosts.length > 0);
    const errors = hosts
      .join("\n")
      .split("\n")
      .filter((line) => /\[error\]/.test(line));
    assert.deepEqual(
      errors.filter((line) => /spectune/i.test(line)),
      [],
    );
  });
});

/** The extension with the folder, as a module of its own. */
async function makeMemoryFiles(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const manifest = {
    name: "memory-files",
    publisher: "spectune-tests",
    version: "1.0.0",
    engines: { vscode: "^1.101.0" },
    main: "./extension.cjs",
    activationEvents: ["onFileSystem:memory"],
    extensionKind: ["workspace"],
    capabilities: { virtualWorkspaces: true, untrustedWorkspaces: { supported: true } },
  };
  writeFileSync(join(folder, "package.json"), JSON.stringify(manifest));
  await build({
    absWorkingDir: root,
    entryPoints: ["test/vscode/memory-files/extension.ts"],
    outfile: join(folder, "extension.cjs"),
    bundle: true,
    format: "cjs",
    platform: "node",
    external: ["vscode"],
  });
}
