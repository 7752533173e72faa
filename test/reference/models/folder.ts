/** @file Writes Hugging Face folders whose tensors come from the weight formula, for loaders to read. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { filled } from "../deterministic.ts";
import type { Fill } from "../deterministic.ts";

/** `config.json` and `model.safetensors` in `folder`, which is made where missing. */
export function writeModelFolder(
  folder: string,
  model: { readonly config: object; readonly tensors: readonly Fill[] },
): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "config.json"), JSON.stringify(model.config, null, 2));
  writeFileSync(join(folder, "model.safetensors"), safetensors(model.tensors));
}

/** `adapter_config.json` and `adapter_model.safetensors` in `folder`, which is made where missing. */
export function writeAdapterFolder(
  folder: string,
  adapter: { readonly config: object; readonly tensors: readonly Fill[] },
): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "adapter_config.json"), JSON.stringify(adapter.config, null, 2));
  writeFileSync(join(folder, "adapter_model.safetensors"), safetensors(adapter.tensors));
}

/** A float32 safetensors file; written apart from the engine's own writer, so that it can test the reader. */
export function safetensors(tensors: readonly Fill[]): Uint8Array {
  const header: Record<string, unknown> = { __metadata__: { format: "pt" } };
  const parts: Uint8Array[] = [];
  let end = 0;
  for (const tensor of tensors) {
    const bytes = new Uint8Array(filled(tensor).buffer);
    header[tensor.name] = {
      dtype: "F32",
      shape: tensor.shape,
      data_offsets: [end, end + bytes.length],
    };
    parts.push(bytes);
    end += bytes.length;
  }
  const json = JSON.stringify(header);
  // Padding with spaces keeps the data at a multiple of eight.
  const text = new TextEncoder().encode(json.padEnd(json.length + (-json.length & 7)));
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(text.length), true);
  return Buffer.concat([length, text, ...parts]);
}
