/** @file The version of this package. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { isRecord } from "../shared/wire.ts";

export const version: string = readVersion();

/** From the sources package.json is two folders up, from a bundle too. */
function readVersion(): string {
  const text = readFileSync(join(import.meta.dirname, "../../package.json"), "utf8");
  const json: unknown = JSON.parse(text);
  return isRecord(json) && typeof json["version"] === "string" ? json["version"] : "unknown";
}

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
