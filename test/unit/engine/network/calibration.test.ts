/** @file What calibration gathers is what the float64 interpreter reads and what finite differences show, in bounded memory. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ModelBatch } from "../../../../src/engine/network/batch.ts";
import type {
  CalibrationBatch,
  CalibrationParts,
} from "../../../../src/engine/network/calibration.ts";
import {
  calibrationContext,
  layerOf,
  openLayerStream,
} from "../../../../src/engine/network/calibration.ts";
import { gatherGradients } from "../../../../src/engine/network/calibration-gradients.ts";
import type { GradientTarget } from "../../../../src/engine/network/calibration-gradients.ts";
import {
  columnStatistics,
  gatherInputs,
  secondMoment,
} from "../../../../src/engine/network/calibration-inputs.ts";
import { scoresOf } from "../../../../src/engine/network/inference.ts";
import type { Backend } from "../../../../src/engine/runtime/backend.ts";
import { createOrtBackend } from "../../../../src/engine/runtime/ort.ts";

import { at, invariant } from "../../../../src/shared/errors.ts";
import { formulaWeights } from "../../../support/formula-weights.ts";
import { createHostReference } from "../../../support/host-reference.ts";
import type { NetworkParts, TestNetwork } from "../../../support/network.ts";
import { buildNetwork, scoredRows } from "../../../support/network.ts";
import { gradientsOf, networkCases } from "./cases.ts";

const ort = await createOrtBackend({ device: "cpu", threads: 1 });
const oracle = createHostReference();

/** Three batches of other tokens; of each the last tokens do not count. */
function batchesOf(batch: ModelBatch): readonly CalibrationBatch[] {
  return [0, 1, 2].map((shift) => {
    const ids = batch.ids.map((id) => (id + 5 * shift) % 20);
    const counted = Uint8Array.from(ids, (_, place) => (place % batch.length < 4 ? 1 : 0));
    return { batch: { ...batch, ids }, counted };
  });
}

for (const { name, model, batch } of networkCases)
  describe(`calibration of ${name}`, () => {
    const build = (backend: Backend, more: Partial<NetworkParts> = {}): TestNetwork =>
      buildNetwork({
        backend,
        model,
        read: formulaWeights(model),
        training: { kind: "none" },
        ...more,
      });
    const partsOf = (backend: Backend, { context, base, parameters }: TestNetwork) => {
      const blocks = [context.embedding, ...context.layers, context.head];
      const setups = new Map(blocks.map(({ setup }) => [setup.spec.id, setup]));
      return { backend, model, setups, base, parameters, checkpointing: false };
    };
    const layers = model.blocks.filter(({ kind }) => kind === "layer");
    const modules = layers.flatMap(({ linears }) => linears.map(({ module }) => module));
    const targets = layers.flatMap((block) =>
      block.linears.map((linear): GradientTarget => {
        const tensor = block.tensors.find((own) => own.name === `${linear.name}.weight`);
        invariant(tensor, "a site without a weight");
        return { block, tensor };
      }),
    );
    const batches = batchesOf(batch);
    const plain = batches.map((own) => own.batch);

    it("reads each distinct input once, as the interpreter has it", async () => {
      const seen: string[][] = [];
      const gathered = async (backend: Backend) => {
        const context = calibrationContext(partsOf(backend, build(backend)));
        const stream = await openLayerStream(context, batches);
        const inputs: Float64Array[] = [];
        seen.length = 0;
        while (stream.next < context.layers.length)
          await stream.advance(new Set(modules), async (input) => {
            if (input.index === 0) seen.push([...input.modules]);
            inputs.push(Float64Array.from(await input.floats()));
          });
        return inputs;
      };
      const fast = await gathered(ort);
      const slow = await gathered(oracle);
      assert.deepEqual(seen.flat().toSorted(), modules.toSorted());
      if (name === "llama")
        assert.deepEqual(
          at(seen, 0).map((module) => module.split(".").at(-1)),
          ["q_proj", "k_proj", "v_proj"],
        );
      assert.equal(fast.length, slow.length);
      fast.forEach((values, index) => {
        near(values, at(slow, index), 1e-5);
      });
    });

    it("sums second moments and column statistics over the tokens that count", async () => {
      const context = calibrationContext(partsOf(ort, build(ort)));
      const open = () => openLayerStream(context, batches);
      const module = at(modules, modules.length - 1);
      const rows: number[][] = [];
      const peaks: number[] = [];
      const stream = await open();
      while (stream.next < context.layers.length)
        await stream.advance(new Set([module]), async (input) => {
          const { width, counted } = input;
          const x = await input.floats();
          const own: number[][] = [];
          for (const [row, counts] of counted.entries())
            if (counts === 1) own.push([...x.subarray(row * width, (row + 1) * width)]);
          rows.push(...own);
          peaks.push(...own.map(() => Math.abs(Math.max(...own.flat()))));
        });
      const gather = async <T>(make: Parameters<typeof gatherInputs<T>>[3]) =>
        gatherInputs(context, await open(), new Set(modules), make)(module);
      const width = at(rows, 0).length;
      const moment = (i: number, j: number, scaled: boolean): number =>
        rows.reduce(
          (sum, row, n) =>
            sum + (at(row, i) * at(row, j)) / (scaled ? at(peaks, n) * at(peaks, n) : 1),
          0,
        );
      for (const peak of [false, true]) {
        const made = await gather((size) => secondMoment(context, size, { peak }));
        assert.equal(made.rows, rows.length);
        assert.equal(made.batches, batches.length);
        const expected = Float64Array.from({ length: width * width }, (_, place) =>
          moment(Math.floor(place / width), place % width, peak),
        );
        near(made.secondMoment, expected, 1e-5);
      }
      const { absmax, squares } = await gather(columnStatistics);
      near(
        squares,
        Float64Array.from(absmax, (_, j) => moment(j, j, false)),
        1e-6,
      );
      absmax.forEach((value, j) => {
        assert.equal(value, Math.max(...rows.map((row) => Math.abs(at(row, j)))));
      });
    });

    it("leaves the hidden state as the network itself makes it, whether it looks or not", async () => {
      const context = calibrationContext(partsOf(ort, build(ort)));
      const [looking, passing] = [
        await openLayerStream(context, batches),
        await openLayerStream(context, batches),
      ];
      let bytes = 0;
      const visit = (): Promise<void> => Promise.resolve();
      while (looking.next < context.layers.length) {
        await looking.look(new Set(modules), visit);
        await looking.advance(new Set(modules), visit);
        await passing.advance();
        bytes = looking.bytes();
        batches.forEach((_, index) => {
          near(looking.hidden(index), Float64Array.from(passing.hidden(index)), 1e-6);
        });
      }
      // One hidden state of each token, however many layers.
      assert.equal(bytes, 3 * batch.batch * batch.length * model.sizes.hidden * 4);
    });

    it("has the mean gradient of frozen weights, however few are held at a time", async () => {
      const full = build(ort, { training: { kind: "full" } });
      const expected = new Map<string, Float64Array>();
      for (const own of plain)
        for (const [key, values] of await gradientsOf(full, own)) {
          const sums = expected.get(key) ?? new Float64Array(values.length);
          values.forEach((value, place) => (sums[place] = at(sums, place) + value / plain.length));
          expected.set(key, sums);
        }
      const network = build(ort);
      for (const maxBytes of [1, Infinity]) {
        const options = { kind: "mean", maxBytes } as const;
        const gather = gatherGradients(partsOf(ort, network), plain, targets, options);
        assert.equal(gather.groups, maxBytes === 1 ? targets.length : 1);
        for (const { tensor } of targets) {
          const own = expected.get(tensor.source);
          assert(own);
          near(await gather.of(tensor.source), own, 1e-5);
        }
      }
    });

    it("has the gradient that finite differences of the interpreter's loss show", async () => {
      const network = build(oracle);
      const parts = partsOf(oracle, network);
      const [target] = targets.slice(-1);
      assert(target);
      const { source } = target.tensor;
      const options = { kind: "mean", maxBytes: Infinity } as const;
      const gradient = await gatherGradients(parts, plain, targets, options).of(source);
      const held = network.base.get(source);
      invariant(held.type === "float32", "held otherwise");
      for (const place of [0, 7, held.data.length - 1]) {
        const before = at(held.data, place);
        const losses: number[] = [];
        for (const step of [-0.01, 0.01]) {
          held.data[place] = before + step;
          losses.push(await meanLoss(parts, plain));
        }
        held.data[place] = before;
        const slope = (at(losses, 1) - at(losses, 0)) / 0.02;
        assert(Math.abs(at(gradient, place) - slope) < 2e-4, `${at(gradient, place)} not ${slope}`);
      }
    });

    it("sums the squares of each batch's gradient for the Fisher information", async () => {
      const network = build(ort);
      const parts = partsOf(ort, network);
      const [{ tensor } = invariantTarget()] = targets;
      const single = await Promise.all(
        plain.map((own) =>
          gatherGradients(parts, [own], targets, { kind: "mean", maxBytes: 1e9 }).of(tensor.source),
        ),
      );
      const options = { kind: "squares", maxBytes: 1e9 } as const;
      const fisher = await gatherGradients(parts, plain, targets, options).of(tensor.source);
      const expected = Float64Array.from(fisher, (_, place) =>
        single.reduce((sum, gradient) => sum + at(gradient, place) ** 2, 0),
      );
      near(fisher, expected, 1e-6);
    });

    it("expands packed weights for their gradient, and reads another weight that is put in place", async () => {
      const network = build(ort, {
        storage: ({ role, name: own }) =>
          role === "embedding" || own === "lm_head.weight"
            ? { type: "float32" }
            : { type: "nf4", blockSize: 64, doubleQuant: true },
      });
      const parts = partsOf(ort, network);
      const { tensor, block } = at(targets, 0);
      const options = { kind: "mean", maxBytes: 1e9 } as const;
      const gradient = await gatherGradients(parts, plain, targets, options).of(tensor.source);
      assert(gradient.some((value) => value !== 0));
      const context = calibrationContext(parts);
      const stream = await openLayerStream(context, batches);
      const wanted = new Set(block.linears.map(({ module }) => module));
      const hiddenAfter = async (): Promise<Float32Array> => {
        const sums: number[] = [];
        await stream.look(wanted, async (input) => {
          if (input.modules.length === 1) sums.push(...(await input.floats()));
        });
        return Float32Array.from(sums);
      };
      const before = await hiddenAfter();
      const held = network.base.decode(tensor.source).slice();
      network.base.replace(tensor.source, {
        ...{ type: "nf4", shape: tensor.shape },
        packed: packedHalf(network, tensor.source),
      });
      assert.notDeepEqual(network.base.decode(tensor.source).slice(), held);
      assert.notDeepEqual(await hiddenAfter(), before);
    });

    it("says which modules are outside of the layers", () => {
      const context = calibrationContext(partsOf(ort, build(ort)));
      assert.equal(layerOf(context, at(modules, 0)), 0);
      assert.throws(() => layerOf(context, "lm_head"), { code: "calibration-outside-layers" });
    });
  });

function invariantTarget(): GradientTarget {
  throw new RangeError("a model without linear sites");
}

/** The same codes at half the scale. */
function packedHalf({ base }: TestNetwork, source: string) {
  const held = base.get(source);
  invariant(held.type === "nf4", "not packed");
  const { packed } = held;
  const scales = new Float32Array(Math.ceil(packed.count / packed.blockSize));
  packed.absmax(scales);
  const half = scales.map((scale) => scale / 2);
  return { ...packed, scales: half, absmax: (into: Float32Array) => into.set(half) };
}

async function meanLoss(parts: CalibrationParts, batches: readonly ModelBatch[]): Promise<number> {
  const context = calibrationContext(parts);
  let sum = 0;
  for (const batch of batches) {
    const { losses } = await scoresOf(context, batch);
    sum += losses.reduce((total, loss) => total + loss, 0) / scoredRows(batch);
  }
  return sum / batches.length;
}

/** Within a share of the largest element. */
function near(made: ArrayLike<number>, expected: Float64Array, tolerance: number): void {
  assert.equal(made.length, expected.length);
  const scale = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-9);
  expected.forEach((value, place) => {
    const error = Math.abs(at(made, place) - value);
    assert(error <= tolerance * scale, `${at(made, place)} is not ${value} at ${place}`);
  });
}
