/** @file The version of this package. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isRecord } from "../shared/wire.ts";

export const version: string = readVersion();

/** From the sources package.json is two folders up, from a bundle too. */
function readVersion(): string {
  const text = readFileSync(join(import.meta.dirname, "../../package.json"), "utf8");
  const json: unknown = JSON.parse(text);
  return isRecord(json) && typeof json["version"] === "string" ? json["version"] : "unknown";
}
