/**
 * @file `npm start`: a real VS Code on a copy of the sample workspace, with the extension in it. The desktop's `code`
 * where it is installed, else VS Code's server at an address of this machine alone.
 */
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { bundle } from "./bundle.ts";
import { root, startCodeServer } from "./editor/code-server.ts";
import { packageExtension } from "./editor/package-extension.ts";

const folder = join(mkdtempSync(join(tmpdir(), "spectune-sample-")), "sample");
cpSync(join(root, "media/sample"), folder, { recursive: true });

const desktop =
  !process.argv.includes("--server") &&
  spawnSync("code", ["--version"], { stdio: "ignore", shell: process.platform === "win32" })
    .status === 0;
if (desktop) {
  await bundle(join(root, "dist"));
  spawnSync("code", ["--new-window", `--extensionDevelopmentPath=${root}`, folder], {
    stdio: "inherit",
    shell: process.platform === "win32",
  });
} else {
  const vsix = await packageExtension(join(root, "dist"));
  const server = await startCodeServer({ trust: true, vsix });
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => {
      server.stop();
      process.exit(0);
    });
  process.stdout.write(
    `VS Code: http://127.0.0.1:${server.port}/?folder=${encodeURIComponent(folder)}\nCtrl-C ends it; runs that train go on.\n`,
  );
}
