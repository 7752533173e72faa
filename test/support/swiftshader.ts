/** @file Vulkan without a graphics card: unpacks SwiftShader from the npm package that carries Chromium. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliDecompressSync } from "node:zlib";

/** The environment in which a new process finds a Vulkan device, or why there is none. */
export type VulkanEnvironment =
  { readonly env: Readonly<Record<string, string>> } | { readonly missing: string };

/** What of the package is needed: the driver, its description, and the loader that reads it. */
const files = ["libvk_swiftshader.so", "vk_swiftshader_icd.json", "libvulkan.so.1"] as const;

/**
 * `SPECTUNE_TEST_VULKAN=system` takes the machine's own driver. Variables of a process that already runs come too
 * late for the library loader: tests start a child with them.
 */
export function vulkanEnvironment(): VulkanEnvironment {
  if (process.env["SPECTUNE_TEST_VULKAN"] === "system") return { env: {} };
  if (process.platform !== "linux" || process.arch !== "x64")
    return {
      missing: `SwiftShader comes for Linux x64 alone, this is ${process.platform} ${process.arch}`,
    };
  const archive = archivePath();
  if (archive === undefined)
    return {
      missing: "@sparticuz/chromium is not installed; `npm ci` without --omit=dev installs it",
    };
  const folder = unpack(archive);
  return {
    env: {
      LD_LIBRARY_PATH: [folder, process.env["LD_LIBRARY_PATH"] ?? ""].filter(Boolean).join(":"),
      VK_ICD_FILENAMES: join(folder, "vk_swiftshader_icd.json"),
      VK_DRIVER_FILES: join(folder, "vk_swiftshader_icd.json"),
    },
  };
}

function archivePath(): string | undefined {
  try {
    const entry = fileURLToPath(import.meta.resolve("@sparticuz/chromium"));
    const folders = [dirname(entry), join(entry, "../.."), join(entry, "../../..")];
    return folders.map((folder) => join(folder, "bin/swiftshader.tar.br")).find(existsSync);
  } catch {
    return undefined;
  }
}

/** Beside the package: a folder that all users of a machine may write to is no place for libraries. */
const cache = join(import.meta.dirname, "../../node_modules/.cache");

/** Unpacks once for each version of the archive; several processes may do so at the same time. */
function unpack(archive: string): string {
  const packed = readFileSync(archive);
  const folder = join(cache, `swiftshader-${packed.length}`);
  if (files.every((file) => existsSync(join(folder, file)))) return folder;
  mkdirSync(folder, { recursive: true });
  const scratch = mkdtempSync(`${folder}-`);
  for (const { name, content } of tarEntries(brotliDecompressSync(packed)))
    if (files.some((file) => file === name)) {
      writeFileSync(join(scratch, name), content, { mode: 0o755 });
      renameSync(join(scratch, name), join(folder, name));
    }
  rmSync(scratch, { recursive: true });
  return folder;
}

/** Files of a tar archive: a block of 512 bytes with name and octal size, then the content in whole blocks. */
function* tarEntries(tar: Buffer): Generator<{ readonly name: string; readonly content: Buffer }> {
  const text = (start: number, length: number): string =>
    tar.toString("latin1", start, start + length).replace(/\0.*$/su, "");
  for (let block = 0; block + 512 <= tar.length && tar[block] !== 0;) {
    const size = Number.parseInt(text(block + 124, 12), 8);
    const name = text(block, 100).replace(/^\.\//u, "");
    const start = block + 512;
    yield { name, content: tar.subarray(start, start + size) };
    block = start + 512 * Math.ceil(size / 512);
  }
}
