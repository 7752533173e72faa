/** @file What crosses to and from WebGPU in a training step, and what stays there: run in a process that finds a Vulkan device. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { generate } from "../../../src/engine/network/generation.ts";
import { scoresOf } from "../../../src/engine/network/inference.ts";
import type { Backend, DeviceTensor } from "../../../src/engine/runtime/backend.ts";
import { createOrtBackend } from "../../../src/engine/runtime/ort.ts";
import type { Storage } from "../../../src/engine/programs/setup.ts";
import { at } from "../../../src/shared/errors.ts";
import { formulaWeights } from "../../support/formula-weights.ts";
import type { NetworkParts, TestNetwork, Training } from "../../support/network.ts";
import { buildNetwork, trainSteps } from "../../support/network.ts";
import { networkCases } from "../../unit/engine/network/cases.ts";

const webgpu = await createOrtBackend({ device: "webgpu" });

interface Counter {
  readonly backend: Backend;
  /** Shapes that crossed since the last call, as `float32 2x6`, sorted: to the device, and back. */
  crossed(): { readonly there: readonly string[]; readonly back: readonly string[] };
  /** Tensors on the device that nobody has given up. */
  live(): number;
}

/** The device, with a count of what crosses and what is kept. */
function counting(inner: Backend): Counter {
  let there: string[] = [];
  let back: string[] = [];
  const live = new Set<unknown>();
  const named = ({ dtype, shape }: DeviceTensor): string => `${dtype} ${shape.join("x")}`;
  const taken = (tensor: DeviceTensor): DeviceTensor => {
    live.add(tensor.handle);
    return tensor;
  };
  const backend: Backend = {
    ...inner,
    upload(dtype, shape, data) {
      const tensor = taken(inner.upload(dtype, shape, data));
      there.push(named(tensor));
      return tensor;
    },
    download(tensor) {
      back.push(named(tensor));
      return inner.download(tensor);
    },
    release(tensor) {
      assert(live.delete(tensor.handle), `${named(tensor)} was given up twice`);
      inner.release(tensor);
    },
    async compile(graph) {
      const program = await inner.compile(graph);
      return {
        ...program,
        async run(feeds, into) {
          const made = await program.run(feeds, into);
          for (const tensor of made.values()) taken(tensor);
          return made;
        },
      };
    },
  };
  return {
    backend,
    crossed() {
      const found = { there: there.toSorted(), back: back.toSorted() };
      there = [];
      back = [];
      return found;
    },
    live: () => live.size,
  };
}

const network = at(
  networkCases.filter(({ name }) => name === "llama"),
  0,
);
const lora: Training = { kind: "lora", lora: { r: 4, alpha: 8, use_rslora: false } };
const packed: Storage = { type: "nf4", blockSize: 64, doubleQuant: true };

const variants: Readonly<Record<string, Partial<NetworkParts>>> = {
  LoRA: {},
  "LoRA on an NF4 base, checkpointed": {
    checkpointing: true,
    storage: ({ role, name }) =>
      role === "embedding" || name === "lm_head.weight" ? { type: "float32" } : packed,
  },
  "full fine-tuning with tied embeddings": { training: { kind: "full" } },
};

/** Of a batch of 2 × 6 tokens whose head reads 10 rows: what every step sends, whatever it trains. */
const batchUploads = [
  "float32 1x1", // the loss's scale
  "float32 1x6x1x2", // cosines
  "float32 1x6x1x2", // sines
  "int32 10", // the head's rows
  "int32 10", // and their labels
  "int32 2x6", // tokens
  "int32 2x6", // positions
  "int32 2x6", // types
];

/** Numbers of the update: clipping, and AdamW's own for tensors that decay and that do not. */
const updateUploads = (all: readonly string[]): readonly string[] =>
  all.filter((name) => name === "float32 ");

describe("a training step on WebGPU", () => {
  for (const [name, parts] of Object.entries(variants))
    it(`sends the batch and a few numbers, and gets two numbers back: ${name}`, async () => {
      const counter = counting(webgpu);
      const { model, batch } = network;
      const built: TestNetwork = buildNetwork({
        backend: counter.backend,
        model,
        read: formulaWeights(model),
        training: lora,
        ...parts,
      });
      const step = { steps: 1, lr: 0.01, maxGradNorm: 1 };
      await trainSteps(built, [batch], step);
      const first = counter.crossed();
      const kept: number[] = [];
      for (let again = 0; again < 2; again++) {
        await trainSteps(built, [batch], step);
        const { there, back } = counter.crossed();
        const numbers = updateUploads(there);
        assert.deepEqual(
          there.filter((shape) => shape !== "float32 "),
          batchUploads.toSorted(),
        );
        assert.ok(numbers.length > 0 && numbers.length < 20, `${numbers.length} numbers`);
        assert.deepEqual(back, ["float32 ", "float32 "]);
        kept.push(counter.live());
      }
      assert.equal(kept[0], kept[1], "tensors are left on the device");
      // The weights did cross, at the first step.
      assert.ok(first.there.length > batchUploads.length + 20, first.there.join());
    });
});

describe("measuring and generating on WebGPU", () => {
  it("leave nothing on the device", async () => {
    const counter = counting(webgpu);
    const { model, batch } = network;
    const { context } = buildNetwork({
      backend: counter.backend,
      model,
      read: formulaWeights(model),
      training: lora,
    });
    const prompts = [Int32Array.of(3, 5, 7), Int32Array.of(2)];
    const kept: number[] = [];
    for (let again = 0; again < 2; again++) {
      await scoresOf(context, batch);
      await generate(context, prompts, { maxNewTokens: 3, stop: new Set(), choose: () => 1 });
      kept.push(counter.live());
    }
    assert.equal(kept[0], kept[1]);
  });
});
