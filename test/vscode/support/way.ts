/** @file What the steps of a person's way share: the page, the places, and the command line to hold numbers against. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import type { Page } from "playwright-core";
import { root } from "../../../src/build/editor/code-server.ts";
import { isRecord, parseJson } from "../../../src/shared/wire.ts";

export interface Way {
  readonly page: () => Page;
  /** The folder that is open, and the sample in it. */
  readonly workspace: string;
  readonly sample: string;
  /** A picture, where they are wanted. */
  readonly shot: (name: string) => Promise<void>;
  /** A step; where it fails, what was to be seen is kept. */
  readonly step: (name: string, work: () => Promise<void>) => void;
}

/** What a command of the command line says with `--json`. */
export function commandLine(args: readonly string[], cwd: string): unknown {
  const output = execFileSync(
    process.execPath,
    [join(root, "src/cli/spectune.ts"), ...args, "--json"],
    { cwd, stdio: ["ignore", "pipe", "pipe"], encoding: "utf8", maxBuffer: 1 << 28 },
  );
  return parseJson(output);
}

export type Entry = Readonly<Record<string, unknown>>;

/** An object within an object of JSON; empty where there is none. */
export function entryOf(value: unknown, name: string): Entry {
  const inner = isRecord(value) ? value[name] : undefined;
  return isRecord(inner) ? inner : {};
}

/** A list of objects within an object of JSON. */
export function entriesOf(value: unknown, name: string): readonly Entry[] {
  const list = isRecord(value) ? value[name] : undefined;
  return Array.isArray(list) ? list.filter(isRecord) : [];
}
