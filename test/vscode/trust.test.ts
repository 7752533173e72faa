/** @file An untrusted workspace: experiment files are edited and checked, weights looked into, and nothing is run. */
import assert from "node:assert/strict";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { Page } from "playwright-core";
import { buildOnce } from "./support/build-once.ts";
import { openFile, replaceText } from "./support/drive.ts";
import type { Editor } from "./support/editor.ts";
import { openEditor } from "./support/editor.ts";
import { sampleWorkspace } from "./support/workspace.ts";

describe("an untrusted workspace", () => {
  const folder = sampleWorkspace();
  let editor: Editor;
  let page: Page;
  before(async () => {
    await buildOnce();
    editor = await openEditor({ folder, trust: true });
    page = editor.page;
  });
  after(async () => {
    await editor.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it("is one", async () => {
    await page.locator(".statusbar-item", { hasText: "Restricted Mode" }).waitFor();
  });

  it("checks what is typed", async () => {
    await openFile(page, "short.peft.yaml");
    await page.locator(".codelens-decoration", { hasText: "Plan" }).waitFor({ timeout: 60_000 });
    await replaceText(page, "q_proj", "q_projj");
    await page.locator(".squiggly-error, .squiggly-warning").first().waitFor({ timeout: 60_000 });
    await page.keyboard.press("Control+z");
  });

  it("offers no command that runs something", async () => {
    await page.keyboard.press("F1");
    await page.locator(".quick-input-widget input").fill(">Spectune: ");
    const rows = page.locator(".quick-input-list .monaco-list-row");
    await rows.filter({ hasText: "Plan Experiment" }).first().waitFor();
    assert.equal(await rows.filter({ hasText: "Run Experiment" }).count(), 0);
    await page.keyboard.press("Escape");
  });

  it("runs nothing from the lens either", async () => {
    await page.locator(".codelens-decoration a", { hasText: "Run" }).first().click();
    await page
      .locator(".notification-toast", { hasText: "needs a trusted workspace" })
      .waitFor({ timeout: 30_000 });
    assert(!existsSync(join(folder, ".spectune")));
  });
});
