/** @file Starts a TypeScript entry point after making sure that this Node can run it; plain JavaScript, so that any Node can say why not. */
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { refusalOfNode } from "../cli/node-version.mjs";

const refusal = refusalOfNode(process.versions.node);
if (refusal !== undefined) {
  process.stderr.write(refusal);
  process.stderr.write(
    "On Linux and Windows `npm ci` brings Node 24 along (an optional dependency: do not use --omit=optional).\n",
  );
  process.exit(2);
}
const [, , entry, ...args] = process.argv;
// Compiled once, then a look at the sources' hash.
const { buildKernels } = await import("./kernels.ts");
await buildKernels();
process.argv = [process.argv[0], resolve(entry), ...args];
await import(pathToFileURL(resolve(entry)).href);
