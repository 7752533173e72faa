/** @file Small models and adapters on the disk, for tests of the lab. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Matrix } from "../../../../kernels/linalg/index.ts";
import { writeSafetensors } from "../../../../src/engine/weights/write-safetensors.ts";

export type Tensors = Readonly<Record<string, Matrix<Float32Array>>>;

/** Numbers that look like chance and are the same each time. */
export function matrix(rows: number, columns: number, seed: number): Matrix<Float32Array> {
  let state = seed * 2654435761 + 1;
  const data = Float32Array.from({ length: rows * columns }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
  return { rows, columns, data };
}

export async function writeTensors(path: string, tensors: Tensors): Promise<void> {
  await writeSafetensors(
    path,
    Object.entries(tensors).map(([name, { rows, columns, data }]) => ({
      name,
      dtype: "float32",
      shape: [rows, columns],
      chunks: () => [new Uint8Array(data.buffer, data.byteOffset, data.byteLength)],
    })),
    { format: "pt" },
  );
}

export async function writeModel(
  folder: string,
  tensors: Tensors,
  config?: unknown,
): Promise<string> {
  await mkdir(folder, { recursive: true });
  await writeTensors(join(folder, "model.safetensors"), tensors);
  if (config !== undefined) await writeFile(join(folder, "config.json"), JSON.stringify(config));
  return folder;
}

export async function writeAdapter(
  folder: string,
  config: Readonly<Record<string, unknown>>,
  tensors: Tensors,
): Promise<string> {
  await mkdir(folder, { recursive: true });
  await writeTensors(join(folder, "adapter_model.safetensors"), tensors);
  const whole = { peft_type: "LORA", r: 2, lora_alpha: 4, target_modules: ["q_proj"], ...config };
  await writeFile(join(folder, "adapter_config.json"), JSON.stringify(whole));
  return folder;
}
