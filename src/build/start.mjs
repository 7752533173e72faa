/** @file Starts a TypeScript entry point with a Node that can run it; plain JavaScript, so that any Node can read this. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { refusalOfNode } from "../cli/node-version.mjs";

const [, , entry, ...args] = process.argv;
const refusal = refusalOfNode(process.versions.node);
if (refusal === undefined) {
  // Compiled once, then a look at the sources' hash.
  const { buildKernels } = await import("./kernels.ts");
  await buildKernels();
  const script = resolve(entry);
  process.argv = [process.argv[0], script, ...args];
  goWhereTheUserIs();
  await import(pathToFileURL(script).href);
} else {
  const node = installedNode();
  if (existsSync(node)) startAgain(node);
  else {
    process.stderr.write(
      `${refusal}On Linux and Windows \`npm ci\` brings Node 24 along (an optional dependency: do not use --omit=optional).\n`,
    );
    process.exitCode = 2;
  }
}

/** npm runs a script in the package's folder; paths on the command line mean the one where npm was called. */
function goWhereTheUserIs() {
  const { npm_lifecycle_event: script, INIT_CWD: folder } = process.env;
  if (script === "spectune" && folder !== undefined && existsSync(folder)) process.chdir(folder);
}

/**
 * The Node of our optional dependency. npm 11 links it, so that scripts find it first; npm 10 links none of several
 * packages with a command of one name where the first of them is for another platform.
 */
function installedNode() {
  const [system, file] =
    process.platform === "win32" ? ["win", "node.exe"] : [process.platform, "node"];
  const name = `../../node_modules/node-${system}-${process.arch}/bin/${file}`;
  return fileURLToPath(new URL(name, import.meta.url));
}

/** The same call with another Node: its output, its signals and its end are ours. */
function startAgain(node) {
  const child = spawn(node, process.argv.slice(1), { stdio: "inherit" });
  // A terminal's interrupt reaches both; the child decides when it ends.
  process.on("SIGINT", () => undefined);
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  child.on("close", (code, signal) => {
    process.removeAllListeners(signal ?? "SIGTERM");
    if (signal !== null) process.kill(process.pid, signal);
    else process.exitCode = code;
  });
}
