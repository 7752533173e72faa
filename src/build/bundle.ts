/**
 * @file Bundles what is shipped into `dist`: the command line with the files of its threads and processes, and the
 * kernels. With `--watch` again whenever a source changes.
 */
import { chmod, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { watch } from "node:fs";
import { join, resolve } from "node:path";
import process from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { BuildOptions, Metafile, Plugin } from "esbuild";
import { build, context } from "esbuild";
import { messageOf } from "../shared/errors.ts";
import { buildKernels } from "./kernels.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** By the names under which they find each other in `dist/cli`. */
const entryPoints = {
  spectune: "src/cli/launch.mjs",
  worker: "src/engine/session/worker.ts",
  "run-process": "src/engine/sweeps/run-process.ts",
};

/** Builds the command line into `<output>/cli` and the kernels into `<output>/kernels`. */
export async function bundle(output: string): Promise<void> {
  await buildKernels(join(root, "kernels"), join(output, "kernels"));
  await build(options(output));
}

/** Builds, and goes on building. */
async function bundleAndWatch(output: string): Promise<void> {
  const kernels = join(root, "kernels");
  let work = Promise.resolve();
  const rebuild = (): void => {
    work = work.then(async () => {
      try {
        const { built } = await buildKernels(kernels, join(output, "kernels"));
        if (built.length > 0) say(`kernels: ${built.join(", ")}`);
      } catch (error) {
        say(messageOf(error));
      }
    });
  };
  watch(kernels, { recursive: true }, (_event, file) => {
    if (file?.includes("assembly")) rebuild();
  });
  rebuild();
  const watched = await context(options(output));
  await watched.watch();
}

function options(output: string): BuildOptions {
  const folder = join(output, "cli");
  return {
    absWorkingDir: root,
    entryPoints,
    outdir: folder,
    outExtension: { ".js": ".mjs" },
    chunkNames: "chunk-[hash]",
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node22.18",
    // It loads its own native libraries from beside itself.
    external: ["onnxruntime-node"],
    // Packages written for CommonJS ask for Node's modules by it.
    banner: {
      js: 'import { createRequire as createRequireOfBundle } from "node:module"; const require = createRequireOfBundle(import.meta.url);',
    },
    legalComments: "none",
    logLevel: "warning",
    metafile: true,
    plugins: [finish(folder, join(output, "licenses.txt"))],
  };
}

/** After each build: what earlier ones left goes, the command becomes executable, and the licences are gathered. */
function finish(folder: string, licenses: string): Plugin {
  return {
    name: "finish",
    setup(builder) {
      builder.onEnd(async ({ metafile, errors }) => {
        if (metafile === undefined || errors.length > 0) return;
        const made = Object.keys(metafile.outputs).map((file) => resolve(root, file));
        for (const name of await readdir(folder))
          if (!made.includes(join(folder, name))) await rm(join(folder, name), { recursive: true });
        await chmod(join(folder, "spectune.mjs"), 0o755);
        await writeFile(licenses, await licensesOf(metafile));
        const bytes = Object.values(metafile.outputs).reduce((sum, one) => sum + one.bytes, 0);
        say(`command line: ${made.length} files, ${(bytes / 1e6).toFixed(1)} MB`);
      });
    },
  };
}

/** The licences of the packages that a bundle holds, which must go with it. */
async function licensesOf({ inputs }: Metafile): Promise<string> {
  const packages = new Set(
    Object.keys(inputs).flatMap((file) => [
      ...(/^.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.slice(1) ?? []),
    ]),
  );
  const texts = [...packages].toSorted().map(async (name) => {
    const folder = join(root, "node_modules", name);
    const file = (await readdir(folder)).find((one) => /^licen[cs]e/i.test(one));
    const text =
      file === undefined ? await licenseName(folder) : await readFile(join(folder, file), "utf8");
    return `${name}\n\n${text.trim()}\n`;
  });
  return (await Promise.all(texts)).join(`\n${"-".repeat(80)}\n\n`);
}

/** Where a package carries no text of its licence, what its description says. */
async function licenseName(folder: string): Promise<string> {
  const text = await readFile(join(folder, "package.json"), "utf8");
  const { license } = { license: undefined, ...asRecord(JSON.parse(text)) };
  return `Licence: ${String(license)}`;
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

if (import.meta.url === pathToFileURL(resolve(process.argv[1] ?? "")).href) {
  const output = join(root, "dist");
  await (process.argv.includes("--watch") ? bundleAndWatch(output) : bundle(output));
}
