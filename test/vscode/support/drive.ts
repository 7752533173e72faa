/** @file What a person does in the editor: opens files, calls commands, reads panels. Waits for what it needs to see. */
import type { Frame, Page } from "playwright-core";

/**
 * Types into the quick input until the wanted row is there, and takes it; a palette that was opened before a command was
 * there does not show it later.
 */
async function pick(page: Page, key: string, text: string, row: string): Promise<void> {
  const input = page.locator(".quick-input-widget input");
  const found = page.locator(".quick-input-list .monaco-list-row", { hasText: row }).first();
  for (let tries = 0; tries < 10 && !(await found.isVisible()); tries += 1) {
    await page.keyboard.press("Escape");
    await page.keyboard.press(key);
    await input.waitFor();
    await input.fill(text);
    await found.waitFor({ timeout: 6000 }).catch(() => undefined);
  }
  await found.click();
}

/** Takes a row of the open quick input. */
export async function chooseRow(page: Page, text: string): Promise<void> {
  await page
    .locator(".quick-input-list .monaco-list-row", { hasText: text })
    .first()
    .click({ timeout: 60_000 });
}

/** Takes a file in the open dialog; the dialog reads each folder anew, and what is typed meanwhile is lost. */
export async function chooseFile(page: Page, folder: string, name: string): Promise<void> {
  const widget = page.locator(".quick-input-widget");
  const row = widget.locator(".monaco-list-row", { hasText: name }).first();
  await widget.locator("input").first().waitFor();
  for (let tries = 0; tries < 10 && !(await row.isVisible()); tries += 1) {
    await widget.locator("input").first().fill(`${folder}/`);
    await row.waitFor({ timeout: 6000 }).catch(() => undefined);
  }
  await row.click();
  await widget.waitFor({ state: "hidden", timeout: 60_000 });
}

export async function command(page: Page, title: string): Promise<void> {
  await pick(page, "F1", `>Spectune: ${title}`, `Spectune: ${title}`);
}

/** Calls a command and takes a row of what it asks; again where the question closed, as a panel took the focus back. */
export async function commandOn(page: Page, title: string, row: string): Promise<void> {
  const found = page.locator(".quick-input-list .monaco-list-row", { hasText: row }).first();
  const widget = page.locator(".quick-input-widget");
  for (let tries = 0; tries < 5 && !(await found.isVisible()); tries += 1) {
    await command(page, title);
    await widget.waitFor({ timeout: 5000 }).catch(() => undefined);
    while ((await widget.isVisible()) && !(await found.isVisible())) await page.waitForTimeout(250);
  }
  await found.click();
}

/** Opens a file of the workspace; resolves when its text is there. */
export async function openFile(page: Page, name: string): Promise<void> {
  await pick(page, "Control+P", name, name);
  await page.locator(".tab.active", { hasText: name }).waitFor();
  await page.locator(".editor-instance .view-line").first().waitFor();
}

/** Shows the container of our views; where it is shown already, another click would hide it. */
export async function showViews(page: Page): Promise<void> {
  const pane = page.locator(".pane-header", { hasText: /Runs|Läufe/ });
  const entry = page.locator('.activitybar [aria-label^="Spectune"]').first();
  await entry.waitFor({ timeout: 60_000 });
  for (let tries = 0; tries < 10 && !(await pane.isVisible()); tries += 1) {
    await entry.click();
    await pane.waitFor({ timeout: 5000 }).catch(() => undefined);
  }
}

/** The page of a panel, inside its two nested frames. */
export async function panelPage(page: Page, panel: string): Promise<Frame> {
  for (let tries = 0; tries < 120; tries += 1) {
    for (const frame of page.frames()) {
      const found = await frame.$(`body[data-panel="${panel}"]`).catch(() => null);
      if (found !== null) return frame;
    }
    await page.waitForTimeout(500);
  }
  throw new Error(`There is no panel ${panel}.`);
}

/** Takes an action of the light bulb at the cursor; its menu closes where what it offers changes meanwhile. */
export async function takeAction(page: Page, text: string): Promise<void> {
  const action = page.locator(".action-widget .action", { hasText: text }).first();
  for (let tries = 0; tries < 10 && !(await action.isVisible()); tries += 1) {
    await page.keyboard.press("Escape");
    await page.keyboard.press("Control+.");
    await action.waitFor({ timeout: 6000 }).catch(() => undefined);
  }
  await action.click();
}

/** Replaces the first place of a text in the active editor; the cursor stands behind what came instead. */
export async function replaceText(page: Page, from: string, to: string): Promise<void> {
  await page.locator(".editor-instance .view-lines").first().click();
  await page.keyboard.press("Control+Home");
  await page.keyboard.press("Control+f");
  const find = page.locator(".find-widget.visible .find-part textarea").first();
  await find.waitFor();
  await find.fill(from);
  // The find widget selects the place; closing it leaves the selection.
  await page.locator(".find-widget.visible .matchesCount", { hasText: / of / }).first().waitFor();
  await page.keyboard.press("Enter");
  const widget = page.locator(".find-widget.visible").first();
  for (let tries = 0; tries < 10 && (await widget.isVisible()); tries += 1) {
    await page.keyboard.press("Escape");
    await widget.waitFor({ state: "hidden", timeout: 1000 }).catch(() => undefined);
  }
  await page.keyboard.type(to, { delay: 20 });
}

/** The text of the lines that are to be seen. */
export async function activeText(page: Page): Promise<string> {
  const lines = await page.locator(".editor-instance .view-line").allTextContents();
  return lines.join("\n").replaceAll("\u00a0", " ");
}

/** The entry of a run in the Runs view. */
export function runRow(page: Page, text: RegExp): ReturnType<Page["locator"]> {
  return page
    .locator(".pane", { has: page.locator(".pane-header", { hasText: "Runs" }) })
    .locator(".monaco-list-row", { hasText: text })
    .first();
}

/** Takes an entry of a row's menu. */
export async function takeEntry(
  page: Page,
  row: ReturnType<Page["locator"]>,
  text: string,
): Promise<void> {
  await row.click({ button: "right" });
  const entry = page.locator(".context-view .action-label", { hasText: text }).first();
  await entry.waitFor();
  // A menu takes no click that may still belong to its opening.
  await page.waitForTimeout(500);
  await entry.click();
}

/** Closes all editors and panels, so that a panel's page is the only one of its kind. */
export async function closeEditors(page: Page): Promise<void> {
  await pick(page, "F1", ">View: Close All Editors", "View: Close All Editors");
  await page.locator(".tab").first().waitFor({ state: "detached" });
}

/** The editor's own themes by the names that people choose, with what pages call them; the usual one last. */
export const themes = [
  ["Dark Modern", "vscode-dark"],
  ["Dark High Contrast", "vscode-high-contrast"],
  ["Light High Contrast", "vscode-high-contrast-light"],
  ["Light Modern", "vscode-light"],
] as const;

/** Chooses a theme as a person does; the editor shows it a little later. */
export async function takeTheme(page: Page, name: (typeof themes)[number][0]): Promise<void> {
  await pick(page, "F1", ">Preferences: Color Theme", "Preferences: Color Theme");
  const input = page.locator('.quick-input-widget input[placeholder^="Select Color Theme"]');
  await input.fill(name);
  const row = page.locator(".quick-input-list .monaco-list-row", { hasText: name }).first();
  await row.click({ timeout: 30_000 });
}

/** Saves under the path that the open dialog offers. */
export async function acceptPath(page: Page): Promise<void> {
  const widget = page.locator(".quick-input-widget");
  await widget.locator("input").first().waitFor({ timeout: 60_000 });
  // The dialog looks at the folder first, and takes nothing before.
  await page.waitForTimeout(1500);
  await page.keyboard.press("Enter");
  await widget.waitFor({ state: "hidden", timeout: 60_000 });
}

/** The figure of a panel with this title. */
export function figureOf(panel: Frame, title: string): ReturnType<Frame["locator"]> {
  return panel.locator("figure", { has: panel.locator("h3", { hasText: title }) }).first();
}

/** What stands in the rows of a figure's table, which is opened for it where it has a drawing instead. */
export async function rowsOf(panel: Frame, title: string): Promise<readonly (readonly string[])[]> {
  const figure = figureOf(panel, title);
  await figure.waitFor({ timeout: 60_000 });
  const toggle = figure.locator('button[aria-pressed="false"]', { hasText: "Table" });
  if (await toggle.count()) await toggle.click();
  await figure.locator("tbody tr").first().waitFor();
  const rows = await figure.locator("tbody tr").all();
  const cells = await Promise.all(rows.map((row) => row.locator("th, td").allTextContents()));
  const open = figure.locator('button[aria-pressed="true"]', { hasText: "Table" });
  if (await open.count()) await open.click();
  return cells;
}
