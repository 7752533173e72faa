/** @file The lab's commands hold the matrices that they look at, not the model: the peak does not grow with the layers. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import type { Matrix } from "../../../kernels/linalg/index.ts";
import { peakOf } from "../../bench/support/peak-of.ts";
import type { Tensors } from "../../unit/engine/lab/folders.ts";
import { matrix, writeAdapter, writeModel } from "../../unit/engine/lab/folders.ts";
import { scratch } from "../../unit/engine/runs/scratch.ts";

// Tall, so that looking is quick for the bytes that are read.
const [out, width] = [16384, 64];
/** Already with the fewer ones there is more to collect than the engine lets lie. */
const [few, many] = [8, 48];
const drawn = matrix(out, width, 1);
const [B, A] = [matrix(out, 2, 2), matrix(2, width, 3)];

/** Each of contents of its own. */
function layer(index: number): Matrix<Float32Array> {
  return {
    ...drawn,
    data: drawn.data.map((value, i) => (i === index ? 1 : value)),
  };
}

/** For each of so many layers. */
function layers(count: number, of: (module: string, index: number) => Tensors): Tensors {
  const each = Array.from({ length: count }, (_, index) =>
    Object.entries(of(`model.layers.${String(index)}.mlp.up_proj`, index)),
  );
  return Object.fromEntries(each.flat());
}

test("the peak memory of looking at a model does not grow with its layers", async (t) => {
  const folder = scratch(t);
  for (const count of [few, many]) {
    await writeModel(
      join(folder, `base-${String(count)}`),
      layers(count, (module, index) => ({ [`${module}.weight`]: layer(index) })),
    );
    await writeAdapter(
      join(folder, `adapter-${String(count)}`),
      { r: 2, lora_alpha: 2 },
      layers(count, (module) => ({
        [`${module}.lora_A.weight`]: A,
        [`${module}.lora_B.weight`]: B,
      })),
    );
  }
  for (const command of ["spectra", "intruders"]) {
    const peak = (count: number): number =>
      peakOf(
        [command, `base-${String(count)}`, "--adapter", `adapter-${String(count)}`, "--json"],
        folder,
      );
    const [small, large] = [peak(few), peak(many)];
    // In float32; what is not yet collected differs by some fifty megabytes from call to call.
    const bytesMore = 4 * out * width * (many - few);
    assert(
      large - small < (2 * bytesMore) / 3,
      `${command}: ${String(small)} and ${String(large)} bytes`,
    );
  }
});
