/** @file Starts a TypeScript entry point after making sure that this Node can run it; plain JavaScript, so that any Node can say why not. */
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 22 || (major === 22 && minor < 18)) {
  process.stderr.write(
    `Spectune needs Node 22.18 or newer; this is ${process.versions.node}.\n` +
      "On Linux and Windows `npm ci` brings Node 24 along (an optional dependency: do not use --omit=optional).\n" +
      "On other platforms install Node 24 from https://nodejs.org and run the command again.\n",
  );
  process.exit(2);
}
const [, , entry, ...args] = process.argv;
const { pathToFileURL } = await import("node:url");
const { resolve } = await import("node:path");
// Compiled once, then a look at the sources' hash.
const { buildKernels } = await import("./kernels.ts");
await buildKernels();
process.argv = [process.argv[0], resolve(entry), ...args];
await import(pathToFileURL(resolve(entry)).href);
