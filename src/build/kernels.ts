/** @file Compiles each `kernels/<name>/assembly/index.ts` to `dist/kernels/<name>.wasm`, unless its sources are unchanged. */
import { createHash, randomUUID } from "node:crypto";
import { existsSync, globSync } from "node:fs";
import { mkdir, open, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

/** What one call did, by kernel name. */
export interface KernelBuild {
  readonly built: readonly string[];
  readonly unchanged: readonly string[];
}

const root = join(import.meta.dirname, "../..");

/**
 * Relaxed SIMD stays off: its results may differ between processors. No runtime, no imports but the
 * memory that the caller makes, so that its size is the caller's choice and never changes.
 */
const compilerOptions = [
  ...["-O3", "--noAssert", "--runtime", "stub", "--use", "abort="],
  ...["--enable", "simd", "--importMemory", "--noExportMemory", "--noColors"],
];

/** The hash is the payload of a custom section at the very end of the file, 64 hexadecimal digits. */
const hashSection = "spectune.sources";
const hashLength = 64;

/**
 * Brings `dist/kernels` up to date. A kernel whose file carries the hash of its present sources is
 * left alone; the others are compiled into a temporary file and renamed, so that two processes
 * that build at once never show a third a half-written file.
 */
export async function buildKernels(
  folder: string = join(root, "kernels"),
  output: string = join(root, "dist/kernels"),
): Promise<KernelBuild> {
  const entries = globSync("*/assembly/index.ts", { cwd: folder }).toSorted();
  const compilerVersion = await installedCompiler();
  const built: string[] = [];
  const unchanged: string[] = [];
  for (const entry of entries) {
    const name = basename(dirname(dirname(entry)));
    const sources = await readSources(join(folder, dirname(entry)));
    const hash = hashOf(sources, compilerVersion);
    const file = join(output, `${name}.wasm`);
    if ((await storedHash(file)) === hash) {
      unchanged.push(name);
      continue;
    }
    const bytes = await compile(sources);
    await mkdir(output, { recursive: true });
    await writeWhole(file, Buffer.concat([bytes, customSection(hashSection, hash)]));
    built.push(name);
  }
  return { built, unchanged };
}

type Sources = ReadonlyMap<string, string>;

async function readSources(folder: string): Promise<Sources> {
  const names = globSync("**/*.ts", { cwd: folder }).toSorted();
  const texts = await Promise.all(names.map((name) => readFile(join(folder, name), "utf8")));
  return new Map(names.map((name, i) => [name.replaceAll("\\", "/"), texts[i] ?? ""]));
}

function hashOf(sources: Sources, compilerVersion: string): string {
  const facts = [compilerVersion, compilerOptions, [...sources]];
  return createHash("sha256").update(JSON.stringify(facts)).digest("hex");
}

async function installedCompiler(): Promise<string> {
  const file = join(root, "node_modules/assemblyscript/package.json");
  const description: unknown = JSON.parse(await readFile(file, "utf8"));
  return typeof description === "object" && description !== null && "version" in description
    ? String(description.version)
    : "unknown";
}

/** The hash at the end of a compiled kernel, or undefined where there is no such file. */
async function storedHash(file: string): Promise<string | undefined> {
  if (!existsSync(file)) return undefined;
  const handle = await open(file);
  try {
    const { size } = await handle.stat();
    const tail = Buffer.alloc(hashLength);
    await handle.read(tail, 0, hashLength, Math.max(0, size - hashLength));
    return tail.toString("latin1");
  } finally {
    await handle.close();
  }
}

/** The part of the compiler's interface in use. Its own types redeclare the standard library for the whole project. */
interface Compiler {
  main(options: readonly string[], host: object): Promise<{ readonly error: Error | null }>;
}

function isCompiler(value: unknown): value is { readonly default: Compiler } {
  if (typeof value !== "object" || value === null || !("default" in value)) return false;
  const inner = value.default;
  return typeof inner === "object" && inner !== null && "main" in inner;
}

async function loadCompiler(): Promise<Compiler> {
  // Loaded only when something has to be compiled: it takes half a second to start.
  const name: string = "assemblyscript/asc";
  const loaded: unknown = await import(name);
  if (!isCompiler(loaded)) throw new Error(`${name} has no main().`);
  return loaded.default;
}

async function compile(sources: Sources): Promise<Uint8Array> {
  const asc = await loadCompiler();
  let binary: Uint8Array | undefined;
  let messages = "";
  const stream = { write: (text: string | Uint8Array) => (messages += String(text)) };
  const { error } = await asc.main(["index.ts", "--outFile", "kernel.wasm", ...compilerOptions], {
    stdout: stream,
    stderr: stream,
    readFile: (name: string) => sources.get(name) ?? null,
    writeFile: (name: string, contents: unknown) => {
      if (name === "kernel.wasm" && contents instanceof Uint8Array) binary = contents;
    },
    listFiles: () => [],
  });
  if (error !== null || binary === undefined)
    throw new Error(`A kernel does not compile.\n${messages}`, { cause: error });
  return binary;
}

/** A WebAssembly custom section: id 0, size, name, payload (sizes under 128, so one byte each). */
function customSection(name: string, payload: string): Uint8Array {
  return Buffer.concat([
    Uint8Array.of(0, 1 + name.length + payload.length, name.length),
    Buffer.from(name + payload, "latin1"),
  ]);
}

async function writeWhole(file: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${file}.${randomUUID()}.tmp`;
  try {
    await writeFile(temporary, bytes);
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

if (import.meta.url === pathToFileURL(resolve(process.argv[1] ?? "")).href) {
  const { built, unchanged } = await buildKernels();
  process.stdout.write(`kernels: built ${built.length}, unchanged ${unchanged.length}\n`);
}
