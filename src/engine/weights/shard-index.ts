/** @file The index of sharded weights, as transformers writes it, and its agreement with the shards. */
import { basename } from "node:path";
import { at, UserError } from "../../shared/errors.ts";
import type { Checked, Finding } from "../../shared/findings.ts";
import { isProblem, mapOf, object, parseJson, text } from "../../shared/wire.ts";
import { quote } from "./header-text.ts";
import type { LocatedWeights } from "./locate-weights.ts";
import { explainingReads, openToRead } from "./read-errors.ts";
import type { SafetensorsHeader, TensorInfo } from "./safetensors.ts";

export interface ShardIndex {
  readonly file: string;
  /** Name of the file that holds each tensor, by the tensor's name. */
  readonly shardOf: ReadonlyMap<string, string>;
}

/** Larger indexes are refused; the largest models come to some 10 MB. */
const maxIndexBytes = 100_000_000;

/** More shards than any model has; each of them stays open. */
const mostShards = 1000;

/** Reads an index; shards are plain names in its own folder. */
export async function readShardIndex(file: string): Promise<ShardIndex> {
  const json = parseJson(await readText(file));
  const decoded = indexForm(json, "");
  if (isProblem(decoded))
    throw malformed(file, json === undefined ? "it is not JSON" : decoded.problem);
  const shardOf = new Map(Object.entries(decoded.weight_map));
  const names = new Set(shardOf.values());
  for (const name of names)
    if (!/^[^/\\\0]+\.safetensors$/.test(name))
      throw malformed(file, `${quote(name)} is not the name of a safetensors file beside it`);
  if (names.size === 0) throw malformed(file, "it names no tensor");
  if (names.size > mostShards)
    throw malformed(file, `it names ${names.size} files; at most ${mostShards} are read`);
  return { file, shardOf };
}

/**
 * The tensors of all files; with an index, those that it names, each from the file that it names.
 * A tensor that its shard lacks is an error; one that the index does not name is a warning.
 */
export function assignShards(
  located: LocatedWeights,
  headers: readonly SafetensorsHeader[],
): Checked<ReadonlyMap<string, TensorInfo>> {
  const { files, index } = located;
  if (index === undefined) return { value: at(headers, 0).tensors, findings: [] };
  const findings: Finding[] = [];
  const tensors = new Map<string, TensorInfo>();
  const unnamed: string[] = [];
  files.forEach((file, number) => {
    for (const [name, tensor] of at(headers, number).tensors)
      if (index.shardOf.get(name) === basename(file)) tensors.set(name, tensor);
      else unnamed.push(name);
  });
  for (const [name, shard] of index.shardOf)
    if (!tensors.has(name))
      findings.push({
        code: "tensor-missing-in-shard",
        severity: "error",
        message: `${index.file} says that the tensor ${quote(name)} is in ${shard}, but it is not.`,
        place: { file: index.file, field: name },
        remedy: "Fetch index and shards again, all from the same revision.",
      });
  if (unnamed.length > 0)
    findings.push({
      code: "tensor-not-in-index",
      severity: "warning",
      message: `The shards hold ${unnamed.length} tensors that ${index.file} does not name, such as ${quote(at(unnamed, 0))}; they are left out.`,
      place: { file: index.file },
    });
  return { value: tensors, findings };
}

const indexForm = object<{ readonly weight_map: Readonly<Record<string, string>> }>(
  { weight_map: mapOf(text) },
  {},
);

async function readText(file: string): Promise<string> {
  const { handle, facts } = await openToRead(file);
  try {
    if (facts.size > maxIndexBytes) throw malformed(file, `it has ${facts.size.toString()} bytes`);
    return await explainingReads(file, () => handle.readFile("utf8"));
  } finally {
    await handle.close();
  }
}

function malformed(file: string, why: string): UserError {
  return new UserError({
    code: "malformed-shard-index",
    message: `${file} cannot be used: ${why}.`,
    place: { file },
    remedy: "Fetch the index again from where the model came from.",
  });
}
