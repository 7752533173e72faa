/** @file Packages the extension for one platform: what it loads, and the native files of that platform alone. */
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { createVSIX } from "@vscode/vsce";
import { isRecord } from "../../shared/wire.ts";
import { bundle } from "../bundle.ts";
import { root } from "./code-server.ts";

/** The editor's word for this platform: `linux-x64`. */
const thisTarget = `${process.platform}-${process.arch}`;

/** Files and folders of the tree that go along as they are. */
const carried = [
  "CHANGELOG.md",
  "LICENSE",
  "package.nls.json",
  "package.nls.de.json",
  "l10n",
  "media/icons",
  "media/language",
  "media/sample",
  "media/schemas",
  "media/walkthrough",
] as const;

/** Packages with native files; everything else is in the bundles. */
const packages = ["onnxruntime-node", "onnxruntime-common"] as const;

/** Writes `spectune-<version>-<platform>.vsix` into `output`; its path. */
export async function packageExtension(output: string): Promise<string> {
  const staging = await mkdtemp(join(tmpdir(), "spectune-vsix-"));
  try {
    await bundle(join(staging, "dist"));
    for (const path of carried)
      await cp(join(root, path), join(staging, path), { recursive: true });
    // The tree's README tells of the tree, and has a picture of a kind that extensions may not show.
    await cp(join(root, "media/readme/extension.md"), join(staging, "README.md"));
    for (const name of packages) await copyPackage(name, staging);
    // Everything here is meant: this only says so.
    await writeFile(join(staging, ".vscodeignore"), "**/*.map\n");
    const manifest = manifestOf(JSON.parse(await readFile(join(root, "package.json"), "utf8")));
    await writeFile(join(staging, "package.json"), JSON.stringify(manifest.content, null, 2));
    await mkdir(output, { recursive: true });
    const path = join(output, `spectune-${manifest.version}-${thisTarget}.vsix`);
    await createVSIX({
      cwd: staging,
      packagePath: path,
      target: thisTarget,
      allowMissingRepository: true,
      // Links of the README stay as they are: there is no address yet that they could begin with.
      rewriteRelativeLinks: false,
      skipLicense: false,
    });
    return path;
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

/** Without what is of use only in a checkout. */
function manifestOf(value: unknown): {
  readonly content: Readonly<Record<string, unknown>>;
  readonly version: string;
} {
  if (!isRecord(value)) throw new Error("package.json is no object.");
  const { dependencies, version } = value;
  if (!isRecord(dependencies) || typeof version !== "string")
    throw new Error("package.json lacks dependencies or version.");
  const left = ["scripts", "devDependencies", "optionalDependencies", "bin", "files", "private"];
  const kept = Object.entries(value).filter(
    ([key]) => !left.includes(key) && key !== "allowScripts",
  );
  return {
    version,
    content: {
      ...Object.fromEntries(kept),
      dependencies: { "onnxruntime-node": dependencies["onnxruntime-node"] },
    },
  };
}

/** A package's scripts and this platform's native files. */
async function copyPackage(name: string, staging: string): Promise<void> {
  const from = join(root, "node_modules", name);
  const to = join(staging, "node_modules", name);
  for (const entry of await readdir(from, { recursive: true })) {
    const path = entry.replaceAll("\\", "/");
    if (!wanted(path) || !(await stat(join(from, path))).isFile()) continue;
    await mkdir(dirname(join(to, path)), { recursive: true });
    await cp(join(from, path), join(to, path));
  }
  const file = join(to, "package.json");
  const manifest: unknown = JSON.parse(await readFile(file, "utf8"));
  if (!isRecord(manifest)) throw new Error(`${name} has no manifest.`);
  const { dependencies } = manifest;
  const common = isRecord(dependencies) ? dependencies["onnxruntime-common"] : undefined;
  const kept = Object.entries(manifest).filter(([key]) => !/dependencies|scripts/i.test(key));
  // Of its dependencies two serve its install script alone.
  await writeFile(
    file,
    JSON.stringify({
      ...Object.fromEntries(kept),
      ...(common === undefined ? {} : { dependencies: { "onnxruntime-common": common } }),
    }),
  );
}

function wanted(path: string): boolean {
  if (/(?:^|\/)(?:node_modules|script|__.*)\//.test(path)) return false;
  const native = /^bin\/napi-v\d+\/([^/]+)\/([^/]+)\//.exec(path);
  if (native !== null) return native[1] === process.platform && native[2] === process.arch;
  return /^(?:package\.json|LICENSE|dist\/(?!esm).*\.(?:js|json))$/.test(path);
}
