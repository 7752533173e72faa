/** @file Finds the files that hold a model's weights, and says what else is there where they are not. */
import { readdir, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { UserError } from "../../shared/errors.ts";
import { unlessMissing } from "../runs/file-errors.ts";
import { explainingReads } from "./read-errors.ts";
import { readShardIndex, type ShardIndex } from "./shard-index.ts";

/** Names that transformers gives to a model's weights. */
export const singleName = "model.safetensors";
export const indexName = "model.safetensors.index.json";

export interface LocatedWeights {
  /** The files to open, without repetition. */
  readonly files: readonly string[];
  /** Present where the weights are sharded. */
  readonly index?: ShardIndex;
}

/**
 * The weight files of a model folder, or of a file's path: `model.safetensors` first, else the
 * shards of `model.safetensors.index.json`, as transformers chooses. Pickles are refused by name.
 */
export async function locateWeights(path: string): Promise<LocatedWeights> {
  const facts = await explainingReads(path, () => unlessMissing(stat(path)));
  if (facts === undefined) throw notFound(path);
  if (facts.isDirectory()) return locateInFolder(path);
  if (path.endsWith(".index.json")) return locateShards(path);
  if (isPickle(path)) throw pickle(path, [basename(path)]);
  return { files: [path] };
}

async function locateInFolder(folder: string): Promise<LocatedWeights> {
  const names = await explainingReads(folder, () => readdir(folder));
  if (names.includes(singleName)) return { files: [join(folder, singleName)] };
  if (names.includes(indexName)) return locateShards(join(folder, indexName));
  const other = names.filter((name) => name.endsWith(".safetensors")).toSorted();
  if (other.length > 0) throw otherNames(folder, other);
  const pickles = names.filter(isPickle).toSorted();
  if (pickles.length > 0) throw pickle(folder, pickles);
  throw new UserError({
    code: "weights-not-found",
    message: `${folder} holds no weights: neither ${singleName} nor ${indexName}.`,
    place: { file: folder },
    remedy:
      "Check the path; if the model came from the hub, its download may be incomplete: run it again.",
  });
}

async function locateShards(file: string): Promise<LocatedWeights> {
  const index = await readShardIndex(file);
  const files = [...new Set(index.shardOf.values())]
    .toSorted()
    .map((name) => join(dirname(file), name));
  const missing: string[] = [];
  for (const shard of files)
    if ((await explainingReads(shard, () => unlessMissing(stat(shard)))) === undefined)
      missing.push(basename(shard));
  if (missing.length > 0)
    throw new UserError({
      code: "missing-shard",
      message: `${file} names ${files.length} files; ${missing.length} of them ${missing.length === 1 ? "is" : "are"} missing: ${someOf(missing)}.`,
      place: { file },
      remedy: "Fetch the missing files; an interrupted download goes on when it is run again.",
    });
  return { files, index };
}

/** Endings of files that PyTorch writes with pickle, which may run any code when it is read. */
function isPickle(name: string): boolean {
  return (
    /\.(bin|bin\.index\.json|pt|pth|ckpt|pkl)$/.test(name) && !name.startsWith("training_args")
  );
}

function pickle(path: string, names: readonly string[]): UserError {
  return new UserError({
    code: "pickled-weights",
    message: `${path} holds its weights only in PyTorch's pickle format (${someOf(names)}), which can run code when it is read and is never opened here.`,
    place: { file: path },
    remedy:
      "Convert it once to safetensors where you trust it: load it with transformers and call `save_pretrained(folder)`, or take the model's safetensors revision from the hub.",
  });
}

function otherNames(folder: string, names: readonly string[]): UserError {
  const adapter = names.includes("adapter_model.safetensors");
  return new UserError({
    code: "weights-not-found",
    message: adapter
      ? `${folder} is an adapter, not a model: it holds ${someOf(names)} and no ${singleName}.`
      : `${folder} has no ${singleName} and no ${indexName}, but ${someOf(names)}.`,
    place: { file: folder },
    remedy: adapter
      ? "Name the base model here, and the adapter as `method.from`, on the command line as --adapter."
      : `Name the one file to read, or rename it to ${singleName}.`,
  });
}

function notFound(path: string): UserError {
  return new UserError({
    code: "weights-not-found",
    message: `${path} does not exist.`,
    place: { file: path },
    remedy: "Check the path.",
  });
}

function someOf(names: readonly string[]): string {
  const shown = names.slice(0, 5).join(", ");
  return names.length > 5 ? `${shown} and ${names.length - 5} more` : shown;
}
