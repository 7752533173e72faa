/** @file The browser that shows the editor: the machine's own Chromium, or the one that comes with an npm package. */
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import process from "node:process";
import type { Browser } from "playwright-core";
import { chromium } from "playwright-core";

const names = ["chromium", "chromium-browser", "google-chrome"];

/** Headless, without anything that talks to the network by itself. */
const flags = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-features=LocalNetworkAccessChecks,LocalNetworkAccessChecksWebSockets",
];

/** Starts a browser; throws, with what to install, where there is none. */
export async function launchBrowser(): Promise<Browser> {
  const installed = (process.env["PATH"] ?? "")
    .split(delimiter)
    .flatMap((folder) => names.map((name) => join(folder, name)))
    .find((path) => existsSync(path));
  if (installed !== undefined)
    return await chromium.launch({ executablePath: installed, args: flags });
  if (process.platform !== "linux" || process.arch !== "x64")
    throw new Error("There is no Chromium: install chromium or Google Chrome.");
  const { default: packed } = await import("@sparticuz/chromium");
  return await chromium.launch({
    executablePath: await packed.executablePath(),
    args: [...new Set([...packed.args, ...flags])].filter((flag) => flag !== "--single-process"),
  });
}
