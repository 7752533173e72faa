/** @file The version of this package. */
import { createRequire } from "node:module";
import manifest from "../../package.json" with { type: "json" };
import { isRecord } from "../shared/wire.ts";

export const version: string = manifest.version;

/** Versions that a run records. */
export function versions(): Readonly<Record<string, string>> {
  const require = createRequire(import.meta.url);
  const onnxruntime: unknown = require("onnxruntime-node/package.json");
  const found = isRecord(onnxruntime) ? onnxruntime["version"] : undefined;
  return {
    spectune: version,
    node: process.versions.node,
    onnxruntime: typeof found === "string" ? found : "unknown",
  };
}
