#!/usr/bin/env node
/** @file Where the built command line starts: a look at Node's version, then the rest. */
import { refusalOfNode } from "./node-version.mjs";

const refusal = refusalOfNode(process.versions.node);
if (refusal === undefined) await import("./spectune.ts");
else {
  process.stderr.write(refusal);
  process.exitCode = 2;
}
