/** @file Base decompositions on the disk, by the hash of what they were made from; a damaged one is told of and made anew. */
import { createHash } from "node:crypto";
import { rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { invariant } from "../../shared/errors.ts";
import type { Finding } from "../../shared/findings.ts";
import type { KeptSvd, SvdCache } from "../analyze/source.ts";
import { makeFolder, removeLeftovers } from "../runs/atomic.ts";
import type { Bytes } from "../weights/weight-source.ts";
import { openWeights } from "../weights/weight-source.ts";
import type { TensorToWrite } from "../weights/write-safetensors.ts";
import { writeSafetensors } from "../weights/write-safetensors.ts";

/** Raised when a decomposition would come out otherwise, or is stored in another form. */
const version = "1";

/** Where decompositions are kept: `SPECTUNE_CACHE`, else the user's cache folder. */
export function cacheFolder(
  env: Readonly<Record<string, string | undefined>>,
  home: string,
): string {
  const set = (name: string): string | undefined => (env[name] === "" ? undefined : env[name]);
  const own = set("SPECTUNE_CACHE");
  if (own !== undefined) return join(own, "svd");
  const local = set("XDG_CACHE_HOME") ?? set("LOCALAPPDATA") ?? join(home, ".cache");
  return join(local, "spectune", "svd");
}

export interface DiskCache extends SvdCache {
  /** Bytes read and written since it was opened. */
  readonly bytes: () => { readonly read: number; readonly written: number };
}

/** `tell` hears of entries that were damaged. A folder that cannot be written keeps nothing, and says so once. */
export function diskCache(folder: string, tell: (finding: Finding) => void): DiskCache {
  let [read, written, refused] = [0, 0, false];
  const pathOf = (hash: string, kind: string): string => {
    invariant(/^[\w-]+$/.test(hash), `${hash} is no hash`);
    return join(folder, hash.slice(0, 2), `${hash}-${kind}.safetensors`);
  };
  return {
    bytes: () => ({ read, written }),
    async read(hash, kind) {
      const path = pathOf(hash, kind);
      const size = await stat(path).then(
        (facts) => facts.size,
        () => undefined,
      );
      if (size === undefined) return undefined;
      const found = await readEntry(path).catch(() => undefined);
      if (found) {
        read += size;
        return found;
      }
      await rm(path, { force: true }).catch(() => undefined);
      tell({
        code: "damaged-cache",
        severity: "warning",
        message: `The decomposition kept in ${path} is damaged or of another version; it is made anew.`,
        place: { file: path },
      });
      return undefined;
    },
    async write(hash, kind, svd) {
      if (refused) return;
      const path = pathOf(hash, kind);
      try {
        await makeFolder(dirname(path));
        await removeLeftovers(dirname(path), "dead", Date.now());
        written += await writeEntry(path, svd);
      } catch (error) {
        refused = true;
        tell({
          code: "cache-not-written",
          severity: "warning",
          message: `Decompositions cannot be kept in ${folder}: ${error instanceof Error ? error.message : String(error)}`,
          place: { file: folder },
          remedy:
            "The result is the same; the next look at this base takes as long. Set SPECTUNE_CACHE to a folder with room.",
        });
      }
    },
  };
}

function arraysOf({ sigma, left, residuals, values }: KeptSvd) {
  return [
    ["left", [left.rows, left.columns], left.data],
    ["residuals", [residuals.length], residuals],
    ["sigma", [sigma.length], sigma],
    ...(values ? ([["values", [values.length], values]] as const) : []),
  ] as const;
}

async function writeEntry(path: string, svd: KeptSvd): Promise<number> {
  const arrays = arraysOf(svd);
  const tensors = arrays.map(([name, shape, data]): TensorToWrite => ({
    name,
    dtype: "float64",
    shape,
    chunks: () => [new Uint8Array(data.buffer, data.byteOffset, data.byteLength)],
  }));
  const sum = checksum(arrays.map(([, , data]) => data));
  return writeSafetensors(path, tensors, { format: "spectune-svd", version, sha256: sum });
}

/** Undefined where anything is not as it was written. */
async function readEntry(path: string): Promise<KeptSvd | undefined> {
  const source = await openWeights(path);
  try {
    if (source.metadata.get("version") !== version) return undefined;
    const floats = async (name: string): Promise<Float64Array | undefined> =>
      source.tensors.has(name) ? viewed(await source.read(name)) : undefined;
    const left = await floats("left");
    const [rows, columns] = source.tensors.get("left")?.shape ?? [];
    const [residuals, sigma] = [await floats("residuals"), await floats("sigma")];
    const values = await floats("values");
    if (!left || !residuals || !sigma || rows === undefined || columns === undefined)
      return undefined;
    const all = [left, residuals, sigma, ...(values ? [values] : [])];
    if (checksum(all) !== source.metadata.get("sha256")) return undefined;
    return { left: { rows, columns, data: left }, residuals, sigma, values };
  } finally {
    await source.close();
  }
}

function viewed(bytes: Bytes): Float64Array {
  return new Float64Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 8);
}

function checksum(arrays: readonly Float64Array[]): string {
  const hash = createHash("sha256");
  for (const data of arrays)
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  return hash.digest("hex");
}
