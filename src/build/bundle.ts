/**
 * @file Bundles what is shipped into `dist`: the command line with the files of its threads and processes, the
 * extension, the pages of its web views, and the kernels. With `--watch` again whenever a source changes.
 */
import { chmod, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { existsSync, watch } from "node:fs";
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
  "lab-worker": "src/engine/lab/lab-worker.ts",
  "run-process": "src/engine/sweeps/run-process.ts",
  workbench: "src/cli/workbench/main.ts",
};

/**
 * Builds the command line into `<output>/cli`, the extension into `<output>/extension`, the pages into
 * `<output>/panels` and the kernels into `<output>/kernels`.
 */
export async function bundle(output: string): Promise<void> {
  await buildKernels(join(root, "kernels"), join(output, "kernels"));
  const licences = new Map<string, Metafile>();
  for (const options of await bundles(output, licences)) await build(options);
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
  for (const options of await bundles(output, new Map())) await (await context(options)).watch();
}

/** `built` takes what each of them was made from, for the licences that go with them. */
async function bundles(
  output: string,
  built: Map<string, Metafile>,
): Promise<readonly BuildOptions[]> {
  const finished = (name: string): readonly Plugin[] => [
    finish(name, join(output, name), join(output, "licenses.txt"), built),
  ];
  return [
    {
      ...common,
      ...modules,
      entryPoints,
      outdir: join(output, "cli"),
      chunkNames: "chunk-[hash]",
      platform: "node",
      target: "node22.18",
      // It loads its own native libraries from beside itself.
      external: ["onnxruntime-node"],
      plugins: [...finished("cli")],
    },
    {
      ...common,
      ...modules,
      entryPoints: { main: "src/extension/activate.ts" },
      outdir: join(output, "extension"),
      chunkNames: "chunk-[hash]",
      platform: "node",
      target: "node22.15",
      // The editor gives it; it is no package.
      external: ["vscode"],
      plugins: [...finished("extension")],
    },
    {
      ...common,
      entryPoints: await pages(),
      outdir: join(output, "panels"),
      // One script each: a page's policy lets in no other.
      format: "iife",
      platform: "browser",
      target: "chrome132",
      minify: true,
      loader: { ".ttf": "file", ".svg": "dataurl" },
      plugins: [...finished("panels")],
    },
  ];
}

const common = {
  absWorkingDir: root,
  bundle: true,
  legalComments: "none",
  logLevel: "warning",
  metafile: true,
} as const satisfies BuildOptions;

const modules = {
  outExtension: { ".js": ".mjs" },
  splitting: true,
  format: "esm",
  // Packages written for CommonJS ask for Node's modules by it.
  banner: {
    js: 'import { createRequire as createRequireOfBundle } from "node:module"; const require = createRequireOfBundle(import.meta.url);',
  },
} as const satisfies BuildOptions;

/** Every folder of `media/panels` that has a page: its script and its style sheet. */
async function pages(): Promise<Readonly<Record<string, string>>> {
  const folder = join(root, "media/panels");
  const entries = (await readdir(folder))
    .toSorted()
    .flatMap((name) =>
      existsSync(join(folder, name, "main.ts"))
        ? [[name, `media/panels/${name}/main.ts`] as const]
        : [],
    );
  return Object.fromEntries(entries);
}

/** After each build: what earlier ones left goes, the command becomes executable, and the licences are gathered. */
function finish(
  name: string,
  folder: string,
  licenses: string,
  built: Map<string, Metafile>,
): Plugin {
  return {
    name: "finish",
    setup(builder) {
      builder.onEnd(async ({ metafile, errors }) => {
        if (metafile === undefined || errors.length > 0) return;
        const made = Object.keys(metafile.outputs).map((file) => resolve(root, file));
        for (const file of await readdir(folder))
          if (!made.includes(join(folder, file))) await rm(join(folder, file), { recursive: true });
        if (name === "cli") await chmod(join(folder, "spectune.mjs"), 0o755);
        built.set(name, metafile);
        await writeFile(licenses, await licensesOf([...built.values()]));
        const bytes = Object.values(metafile.outputs).reduce((sum, one) => sum + one.bytes, 0);
        say(`${name}: ${made.length} files, ${(bytes / 1e6).toFixed(1)} MB`);
      });
    },
  };
}

/** The licences of the packages that the bundles hold, which must go with it. */
async function licensesOf(metafiles: readonly Metafile[]): Promise<string> {
  const packages = new Set(
    metafiles
      .flatMap(({ inputs }) => Object.keys(inputs))
      .flatMap((file) => [...(/^.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.slice(1) ?? [])]),
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
