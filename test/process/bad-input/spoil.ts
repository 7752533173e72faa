/** @file Ways to spoil a workspace: its experiment's text, a file, the weights. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isRecord } from "../../../src/shared/wire.ts";
import { invariant } from "../../../src/shared/errors.ts";
import { tinyLlama } from "../../support/workspace.ts";

/** Changes the workspace, or returns the experiment's text changed. */
export type Spoil = (folder: string, experiment: string) => string | undefined;

export const weights = "model/model.safetensors";

/** Puts text in the experiment's place of other text. */
export function put(from: string, to: string): Spoil {
  return (_folder, experiment) => {
    invariant(experiment.includes(from), `the experiment has no ${from}`);
    return experiment.replace(from, to);
  };
}

/** Writes a file of the workspace. */
export function write(file: string, content: string | Uint8Array): Spoil {
  return (folder) => {
    writeFileSync(join(folder, file), content);
    return undefined;
  };
}

export function config(change: Readonly<Record<string, unknown>>): Spoil {
  return write("model/config.json", JSON.stringify({ ...tinyLlama, ...change }));
}

/** A safetensors file of a header and data. */
export function weightsFile(header: string, data: Uint8Array): Uint8Array {
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(Buffer.byteLength(header)), true);
  return Buffer.concat([length, Buffer.from(header), data]);
}

/** Rewrites the weights' header and data. */
export function spoilWeights(
  change: (header: Record<string, unknown>, data: Buffer) => Uint8Array | undefined,
): Spoil {
  return (folder) => {
    const path = join(folder, weights);
    const bytes = readFileSync(path);
    const end = 8 + Number(bytes.readBigUInt64LE());
    const header: unknown = JSON.parse(bytes.toString("utf8", 8, end));
    invariant(isRecord(header), "the header is no object");
    const data = bytes.subarray(end);
    const own = { ...header };
    writeFileSync(path, change(own, data) ?? weightsFile(JSON.stringify(own), data));
    return undefined;
  };
}

export const down = "model.layers.1.mlp.down_proj.weight";

/** Offset of a tensor's first byte in the data. */
export function offsetOf(header: Readonly<Record<string, unknown>>, name: string): number {
  const entry = header[name];
  invariant(isRecord(entry) && Array.isArray(entry["data_offsets"]), name);
  return Number(entry["data_offsets"][0]);
}
