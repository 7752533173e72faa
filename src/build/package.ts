/** @file `npm run package`: the extension for this platform as a VSIX. */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { root } from "./editor/code-server.ts";
import { packageExtension } from "./editor/package-extension.ts";

const path = await packageExtension(join(root, "dist"));
const { size } = await stat(path);
process.stdout.write(`${path}: ${(size / 1e6).toFixed(1)} MB\n`);
