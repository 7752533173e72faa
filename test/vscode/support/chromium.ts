/** @file The browser that shows the editor: the machine's own Chromium, or the one that comes with an npm package. */
import { execFileSync } from "node:child_process";
import { chmodSync, createReadStream, createWriteStream, existsSync } from "node:fs";
import { mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, dirname, join } from "node:path";
import process from "node:process";
import { pipeline } from "node:stream/promises";
import { createBrotliDecompress } from "node:zlib";
import type { Browser } from "playwright-core";
import { chromium } from "playwright-core";
import { keptFolder } from "../../../src/build/editor/code-server.ts";

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
  const { path, args, otherwise } = await findBrowser();
  const start = (env: NodeJS.ProcessEnv): Promise<Browser> =>
    chromium.launch({ executablePath: path, args: [...args], env });
  if (otherwise === undefined) return await start(process.env);
  try {
    return await start(process.env);
  } catch {
    // A bare machine lacks libraries and fonts: those of the package serve.
    return await start({ ...process.env, ...otherwise });
  }
}

interface FoundBrowser {
  readonly path: string;
  readonly args: readonly string[];
  /** Variables to try with where it does not start without. */
  readonly otherwise?: NodeJS.ProcessEnv;
}

/** The machine's Chromium, else the package's, else one that `--install` or CI lets the system's packages bring. */
export async function findBrowser(): Promise<FoundBrowser> {
  const installed = installedBrowser();
  if (installed !== undefined) return { path: installed, args: flags };
  if (process.platform === "linux" && process.arch === "x64") {
    const folder = await unpackChromium();
    const { default: packed } = await import("@sparticuz/chromium");
    const args = [...new Set([...packed.args, ...flags])];
    return {
      path: join(folder, "chromium"),
      args: args.filter((flag) => flag !== "--single-process"),
      otherwise: {
        LD_LIBRARY_PATH: join(folder, "al2023/lib"),
        FONTCONFIG_PATH: join(folder, "fonts"),
      },
    };
  }
  const command = ["apt-get", "install", "-y", "chromium"];
  const mayInstall = process.env["CI"] !== undefined || process.env["SPECTUNE_INSTALL"] === "1";
  if (process.platform === "linux" && mayInstall)
    execFileSync("apt-get", command.slice(1), { stdio: "inherit" });
  const path = installedBrowser();
  if (path !== undefined) return { path, args: flags };
  const how =
    process.platform === "linux"
      ? `\`${command.join(" ")}\`, or \`--install\``
      : "Google Chrome will do";
  throw new Error(`The editor's tests need a Chromium, and there is none in PATH: ${how}.`);
}

function installedBrowser(): string | undefined {
  return (process.env["PATH"] ?? "")
    .split(delimiter)
    .flatMap((folder) => names.map((name) => join(folder, name)))
    .find((path) => existsSync(path));
}

/** Unpacks the package's Chromium, once, with the libraries that a bare machine lacks; the folder. */
async function unpackChromium(): Promise<string> {
  const packed = join(
    dirname(createRequire(import.meta.url).resolve("@sparticuz/chromium")),
    "../../bin",
  );
  const folder = join(keptFolder, "chromium");
  if (existsSync(folder)) return folder;
  mkdirSync(keptFolder, { recursive: true });
  const made = mkdtempSync(join(keptFolder, "unpacking-"));
  try {
    for (const name of ["chromium", "swiftshader.tar", "al2023.tar", "fonts.tar"])
      await pipeline(
        createReadStream(join(packed, `${name}.br`)),
        createBrotliDecompress(),
        createWriteStream(join(made, name)),
      );
    chmodSync(join(made, "chromium"), 0o755);
    // The graphics libraries are looked for beside the executable.
    for (const [name, to] of [
      ["swiftshader", "."],
      ["al2023", "al2023"],
      ["fonts", "fonts"],
    ] as const) {
      mkdirSync(join(made, to), { recursive: true });
      execFileSync("tar", ["-xf", `${name}.tar`, "-C", to], { cwd: made });
      rmSync(join(made, `${name}.tar`));
    }
    if (!existsSync(folder)) renameSync(made, folder);
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
  return folder;
}
