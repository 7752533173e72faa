/** @file One pass through the embedding or a layer, without anything kept for a backward pass. */
import { at, invariant } from "../../shared/errors.ts";
import { embeddingForward } from "../programs/ends.ts";
import { layerForward, layerNames } from "../programs/layer.ts";
import type { DeviceTensor, Tensors } from "../runtime/backend.ts";
import type { ModelBatch } from "./batch.ts";
import { shapeKey, shapeOf } from "./batch.ts";
import type { NetworkContext } from "./context.ts";

/** The first hidden state [rows, hidden], in buffer `hidden.0`. */
export async function embed(
  context: NetworkContext,
  batch: ModelBatch,
  feeds: Tensors,
): Promise<DeviceTensor> {
  const { model, embedding } = context;
  const shape = shapeOf(batch);
  const pass = await context.pass(`embedding ${shapeKey(shape)}`, () =>
    embeddingForward(model, embedding.setup, shape),
  );
  embedding.bindings.lookUp(batch);
  const outputs = await context.run(embedding, pass, {
    feeds,
    buffers: new Map([[layerNames.output, "hidden.0"]]),
  });
  return made(outputs, layerNames.output);
}

/** One layer without anything kept for a backward pass. */
export async function inferLayer(
  context: NetworkContext,
  index: number,
  batch: ModelBatch,
  feeds: Tensors,
  hidden: DeviceTensor,
  buffer = `passing.${index % 2}`,
): Promise<DeviceTensor> {
  const layer = at(context.layers, index);
  const shape = shapeOf(batch);
  const key = `forward ${layer.setup.spec.id} ${shapeKey(shape)}`;
  const pass = await context.pass(key, () => layerForward(context.model, layer.setup, shape));
  const outputs = await context.run(layer, pass, {
    feeds: new Map([...feeds, [layerNames.hidden, hidden]]),
    buffers: new Map([[layerNames.output, buffer]]),
  });
  return made(outputs, layerNames.output);
}

/** An output that a program must have made. */
export function made(outputs: Tensors, name: string): DeviceTensor {
  const tensor = outputs.get(name);
  invariant(tensor, `a program did not make ${name}`);
  return tensor;
}
