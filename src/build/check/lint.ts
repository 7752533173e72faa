/**
 * @file ESLint over the sources that changed since they were last found clean, or that import one which did.
 *
 * ESLint's own cache looks at a file alone; our rules read types, which come from what a file imports, so that a
 * change there must count as a change here.
 */
import { createHash } from "node:crypto";
import { globSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join, normalize } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { ESLint } from "eslint";
import ts from "typescript";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const [, , store = "node_modules/.cache/spectune/lint.json"] = process.argv;

// One look at each file, nothing watched: the parser then makes its programs once.
process.env["TSESTREE_SINGLE_RUN"] = "true";

const eslint = new ESLint({ cwd: root });
const texts = await readSources();
const keys = keysOf(texts, await readSettings());
const known = await readStore();
const changed = [...keys].flatMap(([file, key]) => (known[file] === key ? [] : [file]));

const results = changed.length === 0 ? [] : await eslint.lintFiles(changed);
const unclean = results.filter(({ messages }) => messages.length > 0);
const kept = new Map(keys);
for (const { filePath } of unclean) kept.delete(fromRoot(filePath));
await mkdir(dirname(join(root, store)), { recursive: true });
await writeFile(join(root, store), JSON.stringify(Object.fromEntries(kept)));
if (unclean.length > 0) {
  const formatter = await eslint.loadFormatter("stylish");
  process.stdout.write(await formatter.format(unclean));
  process.exitCode = 1;
}

/** The sources that the configuration does not leave out, with their texts. */
async function readSources(): Promise<ReadonlyMap<string, string>> {
  const files = globSync("{src,server,kernels,media,test}/**/*.ts", { cwd: root }).toSorted();
  const entries = await Promise.all(
    files.map(async (name): Promise<readonly (readonly [string, string])[]> => {
      if (await eslint.isPathIgnored(join(root, name))) return [];
      return [[name.replaceAll("\\", "/"), await readFile(join(root, name), "utf8")]];
    }),
  );
  return new Map(entries.flat());
}

/** What counts for every file: the rules, the compiler's settings, the packages. */
async function readSettings(): Promise<string> {
  const names = [
    "eslint.config.mjs",
    "tsconfig.json",
    "kernels/tsconfig.json",
    "package-lock.json",
  ];
  return JSON.stringify(await Promise.all(names.map((name) => readFile(join(root, name), "utf8"))));
}

/** For each file a hash of the settings, of its own text and of everything of ours that it reaches. */
function keysOf(
  sources: ReadonlyMap<string, string>,
  settings: string,
): ReadonlyMap<string, string> {
  const imports = new Map(
    [...sources].map(([file, text]) => [file, importsOf(file, text)] as const),
  );
  const hashes = new Map([...sources].map(([file, text]) => [file, hash(text)] as const));
  return new Map(
    [...sources.keys()].map((file) => {
      const reached = new Set([file]);
      // A set goes on to what is added while it is walked.
      for (const one of reached) for (const next of imports.get(one) ?? []) reached.add(next);
      const parts = [...reached].toSorted().map((one) => [one, hashes.get(one)]);
      return [file, hash(JSON.stringify([file, settings, parts]))] as const;
    }),
  );
}

function importsOf(file: string, text: string): readonly string[] {
  return ts
    .preProcessFile(text, true, true)
    .importedFiles.map(({ fileName }) => fileName)
    .filter((name) => name.startsWith("."))
    .map((name) => normalize(join(dirname(file), name)).replaceAll("\\", "/"));
}

function hash(text: string): string {
  return createHash("sha256").update(text).digest("base64url");
}

/** The keys under which files were found clean. */
async function readStore(): Promise<Readonly<Record<string, unknown>>> {
  try {
    const stored: unknown = JSON.parse(await readFile(join(root, store), "utf8"));
    return typeof stored === "object" && stored !== null ? { ...stored } : {};
  } catch {
    return {};
  }
}

function fromRoot(path: string): string {
  return path.slice(root.length).replaceAll("\\", "/");
}
