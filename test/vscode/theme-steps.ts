/** @file Light, dark and both high contrasts, the keyboard and reduced motion, in panels that show what they computed. */
import assert from "node:assert/strict";
import type { Frame } from "playwright-core";
import { commandOn, figureOf, panelPage, takeTheme, themes } from "./support/drive.ts";
import type { Way } from "./support/way.ts";

export function themeSteps({ page: getPage, shot, step }: Way): void {
  for (const [title, panelName] of [
    ["Count Intruder Dimensions", "intruders"],
    ["Analyze Spectra", "spectra"],
  ] as const)
    step(`shows ${panelName} readably in light, dark and both high contrasts`, async () => {
      const page = getPage();
      await commandOn(page, title, "elsewhere");
      const panel = await panelPage(page, panelName);
      await panel.locator(".empty, figure").first().waitFor({ timeout: 60_000 });
      if (await panel.locator(".empty").count())
        await panel.locator("button.primary").first().click();
      await panel.locator("figure").first().waitFor({ timeout: 200_000 });
      for (const [theme, name] of themes) {
        await takeTheme(page, theme);
        await panel.locator(`body.${name}`).waitFor({ timeout: 60_000 });
        await shot(`${panelName}-${name}`);
        const faint = (await contrasts(panel)).filter(({ ratio }) => ratio < 4.5);
        assert.deepEqual(faint, [], theme);
      }
    });

  step("is reached by the keyboard, and shows where it is", async () => {
    const page = getPage();
    const panel = await panelPage(page, "spectra");
    const unseen: string[] = await panel.evaluate(focusWithoutRing);
    assert.deepEqual(unseen, []);
    await panel.locator("canvas").first().focus();
    const told = panel.locator(".told").first();
    const isThere = async () => /gate_proj · layer \d+: /.test((await told.textContent()) ?? "");
    for (let presses = 0; presses < 8 && !(await isThere()); presses += 1)
      await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await panel.locator("h1", { hasText: /gate_proj/ }).waitFor();
    // A matrix as random as this one has its law drawn over the density.
    const density = figureOf(panel, "Density of λ = σ², base");
    await density.locator("polyline.curve").first().waitFor();
    await density.getByText("Marchenko–Pastur").first().waitFor();
    await density.scrollIntoViewIfNeeded();
    await shot("density");
  });

  step("moves nothing where motion is unwanted", async () => {
    const page = getPage();
    await page.emulateMedia({ reducedMotion: "reduce" });
    const panel = await panelPage(page, "spectra");
    const moving: number = await panel.evaluate("document.getAnimations().length");
    assert.equal(moving, 0);
    await page.emulateMedia({ reducedMotion: "no-preference" });
  });
}

interface Contrast {
  readonly text: string;
  readonly ratio: number;
}

/** In the page: how words stand out from what is behind them (WCAG 2.2's contrast ratio). */
const measuring = `(() => {
  const numbers = (color) => (color.match(/[\\d.]+/g) ?? []).map(Number);
  const light = (color) => {
    const [r, g, b] = numbers(color).map((value) => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (node) => {
    for (let at = node; at !== null; at = at.parentElement) {
      const color = getComputedStyle(at).backgroundColor;
      const [, , , alpha = 1] = numbers(color);
      if (alpha > 0.9 && color !== "transparent") return color;
    }
    return getComputedStyle(document.documentElement).getPropertyValue("--vscode-editor-background")
      .trim().toLowerCase() === "#ffffff" ? "rgb(255, 255, 255)" : "rgb(0, 0, 0)";
  };
  return [...document.querySelectorAll("h1, h3, p, th, td, button, label, figcaption, select, option")]
    .filter((node) => node.textContent.trim() !== "" && node.offsetParent !== null && !node.disabled)
    .map((node) => {
      const [a, b] = [light(getComputedStyle(node).color), light(behind(node))];
      const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
      return { text: node.tagName + " " + node.textContent.trim().slice(0, 40), ratio };
    });
})()`;

async function contrasts(panel: Frame): Promise<readonly Contrast[]> {
  return await panel.evaluate<readonly Contrast[]>(measuring);
}

/** In the page: what takes the focus by keyboard without a ring around it. */
const focusWithoutRing = `(() => [...document.querySelectorAll("button, select, input, canvas, summary")]
  .filter((node) => node.offsetParent !== null && !node.disabled && node.getAttribute("aria-hidden") !== "true" && node.closest("[aria-hidden=true], .legend, .u-wrap") === null)
  .filter((node) => {
    node.focus({ focusVisible: true });
    return document.activeElement !== node || getComputedStyle(node).outlineStyle === "none";
  })
  .map((node) => node.tagName + " " + (node.getAttribute("aria-label") ?? node.textContent).trim()))()`;
