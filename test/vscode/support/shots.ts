/** @file Pictures of the editor, to be looked at: into the folder that `SPECTUNE_SHOTS` names, else none. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import type { Page } from "playwright-core";

export function shotOf(page: () => Page): (name: string) => Promise<void> {
  const folder = process.env["SPECTUNE_SHOTS"];
  return async (name) => {
    if (folder === undefined) return;
    mkdirSync(folder, { recursive: true });
    await page().screenshot({ path: join(folder, `${name}.png`) });
  };
}
