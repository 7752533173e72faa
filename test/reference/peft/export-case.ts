/** @file Trains a small model with an adapter for a few steps and exports it as a run does. */
import { lazyLinalg } from "../../../src/engine/runtime/linalg.ts";
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { logitsOf } from "../../../src/engine/network/inference.ts";
import { openOptimizer } from "../../../src/engine/network/device-optimizer.ts";
import { createTrainer } from "../../../src/engine/network/training.ts";
import { createOrtBackend } from "../../../src/engine/runtime/ort.ts";
import { exportAdapter, exportMerged } from "../../../src/engine/session/export-run.ts";
import { at } from "../../../src/shared/errors.ts";
import { plainAdamw, startedNetwork } from "../../support/started-network.ts";
import { trainSteps } from "../../support/network.ts";
import { filled } from "../deterministic.ts";
import { modelBatch } from "../models/batches.ts";
import type { FixtureName } from "../models/fixture.ts";
import { loadFixture } from "../models/fixture.ts";
import { writeModelFolder } from "../models/folder.ts";
import type { ExportCase } from "./export-cases.ts";

/**
 * Three steps on the fixture's batches, then what a run leaves behind: `adapter/` and `merged/` beside `base/`,
 * and `input.json` with the logits of the trained network.
 */
export async function exportCase(
  path: string,
  { base, method, storage, quantization, apart, plain = false }: ExportCase,
): Promise<void> {
  const fixture = loadFixture(base);
  const baseFolder = join(path, "base");
  writeBase(baseFolder, base, storage ?? "float32");
  const backend = await createOrtBackend({ device: "cpu", threads: 1 });
  const {
    experiment,
    opened,
    setup,
    context,
    parameters,
    factors,
    base: held,
  } = await startedNetwork({
    ...{ model: baseFolder, task: fixture.task, backend },
    fields: { method, ...(quantization !== undefined && { quantization }) },
    tokenize: () => new Int32Array(0),
  });
  const optimizer = openOptimizer(context, plainAdamw, { linalg: lazyLinalg() });
  const network = { context, base: held, parameters, optimizer, train: createTrainer(context) };
  const batches = fixture.batches.map((batch) => modelBatch(setup.model, batch, "scored"));
  await trainSteps(network, batches, { steps: 3, lr: 0.02 });

  const [batch] = fixture.batches;
  assert(batch);
  const real = modelBatch(setup.model, batch, "real");
  const logits = rowsOf(await logitsOf(context, real), real.rows, real.length, real.batch);
  const { inputIds, attentionMask, tokenTypeIds } = batch;
  const input = { inputIds, attentionMask, ...(tokenTypeIds ? { tokenTypeIds } : {}), logits };
  writeFileSync(join(path, "input.json"), JSON.stringify(input));
  const trained = {
    setup,
    backend,
    parameters,
    factors,
    base: held,
    reference: opened.resolved,
    storedType: (source: string) => opened.source.tensors.get(source)?.dtype,
  };
  await exportAdapter(experiment.method, trained, join(path, "adapter"), { plain });
  if (apart !== true) await exportMerged(trained, join(path, "merged"), () => undefined);
  await opened.source.close();
  await context.cache.dispose();
}

/** Causal: a list for each sequence; a classifier: a row for each. */
function rowsOf(
  logits: Float32Array,
  rows: Int32Array,
  length: number,
  batch: number,
): readonly unknown[] {
  const width = logits.length / rows.length;
  const lines = Array.from(rows, (_, row) => [...logits.subarray(row * width, (row + 1) * width)]);
  if (rows.length === batch && at(rows, rows.length - 1) % length === 0) return lines;
  return Array.from({ length: batch }, (_, sequence) =>
    lines.filter((_line, row) => Math.floor(at(rows, row) / length) === sequence),
  );
}

/** The fixture's folder; in 16 bits, where the case asks for it, made of the float32 one. */
function writeBase(path: string, name: FixtureName, storage: "float32" | "bfloat16"): void {
  const fixture = loadFixture(name);
  mkdirSync(path, { recursive: true });
  writeModelFolder(path, fixture);
  if (storage === "float32") return;
  const file = join(path, "model.safetensors");
  const bytes = readFileSync(file);
  const length = Number(bytes.readBigUInt64LE(0));
  const header = bytes
    .subarray(8, 8 + length)
    .toString()
    .replaceAll('"F32"', '"BF16"');
  const shrunk = header.replaceAll(
    /"data_offsets":\[(\d+),(\d+)\]/gu,
    (_, from: string, to: string) => `"data_offsets":[${Number(from) / 2},${Number(to) / 2}]`,
  );
  const words = fixture.tensors.flatMap((fill) => [...new Uint32Array(filled(fill).buffer)]);
  const halves = new Uint8Array(Uint16Array.from(words, (word) => word >>> 16).buffer);
  const text = Buffer.from(shrunk.padEnd(Math.ceil(shrunk.length / 8) * 8));
  const start = Buffer.alloc(8);
  start.writeBigUInt64LE(BigInt(text.length));
  writeFileSync(file, Buffer.concat([start, text, halves]));
}
