/** @file VS Code's own workbench and extension host from the npm registry: installed once, started for each test. */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";

export const root = join(import.meta.dirname, "../../..");

/** VS Code 1.139.1. */
export const codeServerVersion = "4.139.1";

/** Kept between runs, beside what test-electron keeps. */
const folder = join(root, ".vscode-test/code-server");

const entry = join(folder, "node_modules/code-server/out/node/entry.js");

/** Its post-install compiles native modules, which needs these. */
const tools: readonly { readonly name: string; readonly there: () => boolean }[] = [
  ...["python3", "make", "g++"].map((name) => ({
    name,
    there: () => spawnSync(name, ["--version"], { stdio: "ignore" }).status === 0,
  })),
  {
    name: "libkrb5-dev",
    there: () => existsSync("/usr/include/gssapi/gssapi.h"),
  },
];

/** Installs it where it is not there yet: about two minutes. Names the system packages that lack. */
export function installCodeServer(): void {
  if (existsSync(join(folder, "installed"))) return;
  const missing = tools.filter(({ there }) => !there()).map(({ name }) => name);
  if (missing.length > 0) {
    const command = ["apt-get", "install", "-y", ...missing];
    if (process.env["CI"] === undefined && !process.argv.includes("--install"))
      throw new Error(
        `VS Code's server is compiled on this machine, which needs ${missing.join(", ")}: \`${command.join(" ")}\` (or --install).`,
      );
    execFileSync("apt-get", command.slice(1), { stdio: "inherit" });
  }
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, "package.json"),
    JSON.stringify({
      private: true,
      dependencies: { "code-server": codeServerVersion },
      allowScripts: { "code-server": true },
    }),
  );
  execFileSync("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts=false"], {
    cwd: folder,
    stdio: ["ignore", "ignore", "inherit"],
  });
  writeFileSync(join(folder, "installed"), codeServerVersion);
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
  const common = [
    ...["--user-data-dir", data ?? ""],
    ...["--extensions-dir", extensions ?? ""],
    "--disable-telemetry",
    "--disable-update-check",
    ...(options.trust === true ? [] : ["--disable-workspace-trust"]),
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
