/** @file The tree as the walls see it: every tracked file, and what each source imports. */
import { execFileSync } from "node:child_process";
import { globSync, readFileSync, statSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import ts from "typescript";

export const root = join(import.meta.dirname, "../..");

/** Sources of ours, from the root, with `/`. */
export const sources: readonly string[] = globSync(
  "{src,server,kernels,media,test}/**/*.{ts,mjs,js}",
  { cwd: root },
)
  .map((file) => file.replaceAll("\\", "/"))
  .filter((file) => !file.includes("/node_modules/"))
  .toSorted();

/** The text of a file, given from the root. */
export function textOf(file: string): string {
  return readFileSync(join(root, file), "utf8");
}

export interface Imports {
  /** Files of ours, from the root. */
  readonly ours: readonly string[];
  /** Modules of packages and of Node, as they are written. */
  readonly others: readonly string[];
}

/** What every source imports, types too. */
export const imports: ReadonlyMap<string, Imports> = new Map(
  sources.map((file) => [file, importsOf(file)]),
);

function importsOf(file: string): Imports {
  const names = ts
    .preProcessFile(textOf(file), true, true)
    .importedFiles.map((one) => one.fileName);
  return {
    ours: names
      .filter((name) => name.startsWith("."))
      .map((name) => normalize(join(dirname(file), name)).replaceAll("\\", "/")),
    others: names.filter((name) => !name.startsWith(".")),
  };
}

/** Whether a file is `part` or lies in the folder of that name. */
export function isInside(file: string, part: string): boolean {
  return file === part || file.startsWith(`${part}/`);
}

/** Whether `name` is the module `allowed` or lies in that package; `node:` is everything of Node. */
export function isModuleOf(name: string, allowed: string): boolean {
  return allowed === "node:" ? name.startsWith(allowed) : isInside(name, allowed);
}

/** The files that git tracks, or undefined where the tree came without git. */
export function trackedFiles(): readonly string[] | undefined {
  try {
    return execFileSync("git", ["ls-files", "-z"], { cwd: root, encoding: "utf8" })
      .split("\0")
      .filter((file) => statSync(join(root, file), { throwIfNoEntry: false })?.isFile());
  } catch {
    return undefined;
  }
}
