/** @file The training pass of a micro-batch: forward, loss, and gradients summed into the parameters. */
import type { Shape } from "../../shared/dtypes.ts";
import { at, invariant } from "../../shared/errors.ts";
import { embeddingTraining, headTraining } from "../programs/ends.ts";
import type { BatchShape, LayerPrograms } from "../programs/layer.ts";
import { layerNames, layerTraining } from "../programs/layer.ts";
import { inputNames } from "../programs/scope.ts";
import type { DeviceTensor, Tensors } from "../runtime/backend.ts";
import type { ModelBatch } from "./batch.ts";
import { batchFeeds, headFeeds, realRows, shapeKey, shapeOf } from "./batch.ts";
import type { Block, NetworkContext } from "./context.ts";
import { floats } from "./context.ts";
import { headShape } from "./inference.ts";
import { embed, inferLayer, made } from "./passes.ts";
import { trainSide } from "./side.ts";
import type { Uploader } from "./uploads.ts";
import { withRoom } from "./virtual-tokens.ts";
import { withUploads } from "./uploads.ts";

/** Adds the gradients of scale · Σ losses to the parameters' gradients and returns Σ losses. */
export type TrainBatch = (
  batch: ModelBatch,
  scale: number,
  options?: TrainOptions,
) => Promise<number>;

export interface TrainOptions {
  /** Whether a block that trains does so in this pass; all do where not given. */
  readonly active?: ((block: string) => boolean) | undefined;
  /** Told what methods add to a layer's loss, times scale and the batch's rows: over a step it comes to a mean. */
  readonly onPenalty?: (value: number) => void;
  /** Called in the backward pass once a block's gradients are complete. */
  readonly onGradients?: (block: string) => Promise<void>;
}

export function createTrainer(context: NetworkContext): TrainBatch {
  const { backend, model, buffers, layers, embedding, head } = context;
  let active: NonNullable<TrainOptions["active"]> = () => true;
  let onPenalty: TrainOptions["onPenalty"];
  const isActive = (block: Block): boolean => block.trains && active(block.setup.spec.id);
  // What trains beside the model is no reason for gradients to flow through it.
  const beside = context.narrow !== undefined;
  const trains = (block: Block): boolean => (!beside || block === head) && isActive(block);
  // Below the lowest block that trains, nothing is kept and no gradient flows.
  let first = 0;
  const programs = new Map<string, LayerPrograms>();
  const actsAtParts = layers.some(({ setup }) =>
    [...(setup.places?.values() ?? [])].some(({ method }) => method.kind === "block"),
  );

  const layerPrograms = (layer: Block, index: number, shape: BatchShape): LayerPrograms => {
    const key = passKey(layer, index, shape);
    const options = { checkpointing: context.checkpointing, ...flowsIn(layer, index) };
    const known = programs.get(key) ?? layerTraining(model, layer.setup, shape, options);
    programs.set(key, known);
    return known;
  };
  /** What flows out of a layer's backward pass. */
  const flowsIn = (layer: Block, index: number) => ({
    inputGradient: index > first || trains(embedding),
    weightGradients: !layer.trains || trains(layer),
  });
  const passKey = (layer: Block, index: number, shape: BatchShape): string =>
    `${layer.setup.spec.id} ${shapeKey(shape)} ${Object.values(flowsIn(layer, index)).join()}`;
  /** The buffer of a layer's input. */
  const inputBuffer = (index: number): string =>
    index === 0 ? "hidden.0" : index - 1 < first ? `passing.${(index - 1) % 2}` : `hidden.${index}`;
  const gradientBuffer = (index: number): string => `gradient.${index % 2}`;

  const forwardLayer = async (
    index: number,
    batch: ModelBatch,
    feeds: Tensors,
    hidden: DeviceTensor,
  ): Promise<DeviceTensor> => {
    if (index < first) return inferLayer(context, index, batch, feeds, hidden);
    const layer = at(layers, index);
    const { id } = layer.setup.spec;
    const shape = shapeOf(batch);
    const { forward, residuals } = layerPrograms(layer, index, shape);
    layer.bindings.drawMasks({ first: 0, count: batch.batch * batch.length }, context.drawMask);
    const pass = await context.pass(`train forward ${passKey(layer, index, shape)}`, () => forward);
    const outputs = await context.run(layer, pass, {
      feeds: new Map([...feeds, [layerNames.hidden, hidden]]),
      buffers: new Map([
        [layerNames.output, inputBuffer(index + 1)],
        ...residuals.map(({ name }) => [name, `${id}.${name}`] as const),
      ]),
    });
    return made(outputs, layerNames.output);
  };

  const backwardLayer = async (
    index: number,
    batch: ModelBatch,
    feeds: Tensors,
    gradient: DeviceTensor,
  ): Promise<DeviceTensor> => {
    const layer = at(layers, index);
    const { id } = layer.setup.spec;
    const shape = shapeOf(batch);
    const { backward, residuals } = layerPrograms(layer, index, shape);
    const pass = await context.pass(
      `train backward ${passKey(layer, index, shape)}`,
      () => backward,
    );
    const outputs = await context.run(layer, pass, {
      feeds: new Map([
        ...feeds,
        [layerNames.hidden, kept(inputBuffer(index))],
        [layerNames.outputGradient, gradient],
        ...residuals.map(({ name }) => [name, kept(`${id}.${name}`)] as const),
      ]),
      buffers: new Map([[layerNames.inputGradient, gradientBuffer(index)]]),
    });
    const penalty = outputs.get(layerNames.penalty);
    if (penalty) {
      onPenalty?.(at(await floats(backend, penalty), 0));
      buffers.drop(penalty);
    }
    return outputs.get(layerNames.inputGradient) ?? gradient;
  };

  const trainHead = async (
    uploader: Uploader,
    batch: ModelBatch,
    hidden: DeviceTensor,
    scale: number,
  ): Promise<{ readonly loss: number; readonly gradient: DeviceTensor }> => {
    const shape = headShape(context, batch);
    const { kind } = batch.targets;
    const flows = beside || first < layers.length || trains(embedding);
    const whole = !head.trains || trains(head);
    const key = `train head ${kind} ${shape.count}/${shape.of} ${flows} ${whole}`;
    const pass = await context.pass(key, () =>
      headTraining(model, head.setup, shape, kind, flows, whole),
    );
    const buffer = gradientBuffer(layers.length);
    let gradient = zeros(buffer, [shape.of, model.sizes.hidden]);
    let loss = 0;
    for (let start = 0; start < batch.rows.length; start += shape.count) {
      head.bindings.drawMasks({ first: start, count: shape.count }, context.drawMask);
      const outputs = await context.run(head, pass, {
        feeds: new Map([
          ...headFeeds(uploader, batch, start, shape.count),
          [layerNames.hidden, hidden],
          ["scale", uploader.upload("float32", [1, 1], Float32Array.of(scale))],
          [layerNames.accumulated("hidden"), gradient],
        ]),
        // The rows are added in place.
        buffers: new Map([[layerNames.inputGradient, buffer]]),
      });
      gradient = outputs.get(layerNames.inputGradient) ?? gradient;
      const sum = made(outputs, "loss");
      loss += at(await floats(backend, sum), 0);
      buffers.drop(sum);
    }
    return { loss, gradient };
  };

  /** Zeros to sum on: in the buffer itself where programs write there, else a tensor that stays on the device as it is. */
  function zeros(buffer: string, shape: Shape): DeviceTensor {
    if (backend.preallocates) return buffers.write(buffer, "float32", shape, clear);
    const name = `zeros.${shape.join("x")}`;
    return buffers.get(name) ?? buffers.write(name, "float32", shape, clear);
  }

  function kept(buffer: string): DeviceTensor {
    const tensor = buffers.get(buffer);
    invariant(tensor, `${buffer} was not kept for the backward pass`);
    return tensor;
  }

  return (batch, scale, options = {}) =>
    withUploads(backend, (uploader) => train(uploader, batch, scale, options));

  async function train(
    uploader: Uploader,
    words: ModelBatch,
    scale: number,
    options: TrainOptions,
  ): Promise<number> {
    const batch = withRoom(words, context.before, model);
    active = options.active ?? (() => true);
    ({ onPenalty } = options);
    const lowest = layers.findIndex(trains);
    first = trains(embedding) ? 0 : lowest < 0 ? layers.length : lowest;
    const complete = async ({ setup }: Block): Promise<void> => {
      await options.onGradients?.(setup.spec.id);
    };
    const feeds = new Map(batchFeeds(uploader, model, batch));
    if (actsAtParts) {
      const places = [batch.batch * batch.length, 1];
      feeds.set(inputNames.realRows, uploader.upload("float32", places, realRows(batch)));
      // Over a step's micro-batches these shares come to 1.
      const share = Float32Array.of(scale * batch.rows.length);
      feeds.set(layerNames.lossScale, uploader.upload("float32", [], share));
    }
    if (beside)
      return await trainSide(
        { context, batch, feeds },
        (hidden) => trainHead(uploader, batch, hidden, scale),
        complete,
        programs,
      );
    let hidden = await embed(context, batch, feeds);
    for (const index of layers.keys()) hidden = await forwardLayer(index, batch, feeds, hidden);
    const { loss, gradient: last } = await trainHead(uploader, batch, hidden, scale);
    await complete(head);
    let gradient = last;
    for (let index = layers.length - 1; index >= first; index--) {
      gradient = await backwardLayer(index, batch, feeds, gradient);
      await complete(at(layers, index));
    }
    if (trains(embedding)) {
      const shape = shapeOf(batch);
      const pass = await context.pass(
        `train embedding ${shapeKey(shape)}`,
        () => embeddingTraining(model, embedding.setup, shape).backward,
      );
      await context.run(embedding, pass, {
        feeds: new Map([...feeds, [layerNames.outputGradient, gradient]]),
        buffers: new Map(),
      });
      await complete(embedding);
    }
    return loss;
  }
}

function clear(data: { fill(value: number): unknown } | BigInt64Array): void {
  if (!(data instanceof BigInt64Array)) data.fill(0);
}
