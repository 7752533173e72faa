/** @file VS Code's own workbench and extension host from the npm registry: installed once, started for each test. */
import { execFileSync, spawn } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";

export const root = join(import.meta.dirname, "../../..");

/** VS Code 1.139.1. */
const codeServerVersion = "4.139.1";

/** What an editor needs is kept here between runs, beside what test-electron keeps. */
export const keptFolder = join(root, ".vscode-test");

const folder = join(keptFolder, `code-server-${codeServerVersion}`);

const entry = join(folder, "node_modules/code-server/out/node/entry.js");

/**
 * Installs it where it is not there yet, from npm alone: about half a minute. Its own post-install would compile native
 * modules, which takes minutes, a compiler and libraries of the system; the server loads each of them where it needs it,
 * and gets along without. Only its logger is missed, and gets a plain one in its place.
 */
export function installCodeServer(): void {
  if (existsSync(folder)) return;
  process.stderr.write("Fetching VS Code's server from npm, this once…\n");
  mkdirSync(keptFolder, { recursive: true });
  const made = mkdtempSync(join(keptFolder, "installing-"));
  try {
    const manifest = { private: true, dependencies: { "code-server": codeServerVersion } };
    writeFileSync(join(made, "package.json"), JSON.stringify(manifest));
    npmInstall(made);
    const inside = join(made, "node_modules/code-server/lib/vscode");
    npmInstall(inside);
    const logger = join(inside, "node_modules/@vscode/spdlog");
    rmSync(logger, { recursive: true });
    mkdirSync(logger);
    writeFileSync(
      join(logger, "package.json"),
      JSON.stringify({ name: "@vscode/spdlog", type: "module", exports: "./spdlog.mjs" }),
    );
    cpSync(join(import.meta.dirname, "spdlog.mjs"), join(logger, "spdlog.mjs"));
    // Whoever was first has made the same.
    if (!existsSync(folder)) renameSync(made, folder);
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
}

function npmInstall(cwd: string): void {
  execFileSync(
    "npm",
    ["install", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
    { cwd, stdio: ["ignore", "ignore", "inherit"], shell: process.platform === "win32" },
  );
}

export interface CodeServer {
  readonly port: number;
  /** Files of its own, removed with it. */
  readonly scratch: string;
  readonly stop: () => void;
}

export interface CodeServerOptions {
  /** The editor's settings. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Whether folders must be trusted first; else all are. */
  readonly trust?: boolean;
  /** An extension to install before it starts. */
  readonly vsix?: string;
  /** Its display language, such as `de`; its own texts stay English, as no language pack comes from npm. */
  readonly locale?: string;
}

/** Starts one with its own user data. */
export async function startCodeServer(options: CodeServerOptions = {}): Promise<CodeServer> {
  installCodeServer();
  const scratch = mkdtempSync(join(tmpdir(), "spectune-vscode-"));
  const [data, extensions, runtime] = ["data", "extensions", "runtime"].map((name) =>
    join(scratch, name),
  );
  for (const made of [data, extensions, runtime]) mkdirSync(made ?? "", { recursive: true });
  mkdirSync(join(data ?? "", "User"), { recursive: true });
  writeFileSync(
    join(data ?? "", "User/settings.json"),
    JSON.stringify({
      "telemetry.telemetryLevel": "off",
      "workbench.startupEditor": "none",
      "workbench.secondarySideBar.defaultVisibility": "hidden",
      "chat.disableAIFeatures": true,
      "security.workspace.trust.startupPrompt": "never",
      ...options.settings,
    }),
  );
  if (options.locale !== undefined) writeLanguagePack(data ?? "", options.locale);
  const common = [
    ...["--user-data-dir", data ?? ""],
    ...["--extensions-dir", extensions ?? ""],
    "--disable-telemetry",
    "--disable-update-check",
    ...(options.trust === true ? [] : ["--disable-workspace-trust"]),
    ...(options.locale === undefined ? [] : ["--locale", options.locale]),
  ];
  const env = { ...process.env, XDG_RUNTIME_DIR: runtime, NODE_OPTIONS: undefined };
  const port = await freePort();
  if (options.vsix !== undefined)
    execFileSync(process.execPath, [entry, ...common, "--install-extension", options.vsix], {
      cwd: scratch,
      env,
      stdio: "ignore",
    });
  const child = spawn(
    process.execPath,
    [entry, "--auth", "none", "--bind-addr", `127.0.0.1:${port}`, ...common],
    { cwd: scratch, env, stdio: "ignore", detached: true },
  );
  const stop = (): void => {
    try {
      // It starts processes of its own: the whole group goes.
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    } catch {
      // It is gone already.
    }
    rmSync(scratch, { recursive: true, force: true, maxRetries: 5 });
  };
  for (let tries = 0; !(await answers(port)); tries += 1) {
    if (tries > 200) {
      stop();
      throw new Error("VS Code's server did not start within 40 s.");
    }
    await sleep(200);
  }
  return { port, scratch, stop };
}

/**
 * The editor takes a language where a pack of it is installed: this is what installing one leaves, of a pack that translates
 * nothing of the editor's own. Extensions then bring their own texts, as everywhere.
 */
function writeLanguagePack(data: string, locale: string): void {
  const texts = join(data, "texts.json");
  writeFileSync(texts, JSON.stringify({ version: "1.0.0", contents: {} }));
  const identifier = { id: `spectune-tests.language-pack-${locale}` };
  const pack = {
    hash: "0",
    label: locale,
    extensions: [{ extensionIdentifier: identifier, version: "1.0.0" }],
    translations: { vscode: texts },
  };
  writeFileSync(join(data, "languagepacks.json"), JSON.stringify({ [locale]: pack }));
}

async function answers(port: number): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${port}/healthz`)).ok;
  } catch {
    return false;
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => {
        if (typeof address === "object" && address !== null) resolve(address.port);
        else reject(new Error("There is no free port."));
      });
    });
  });
}
