/** @file Passes of a network with a side network: the model runs as in inference, gradients run through the side alone. */
import { at, invariant } from "../../shared/errors.ts";
import type { LayerPrograms } from "../programs/layer.ts";
import { layerNames } from "../programs/layer.ts";
import type { SideShape } from "../programs/side.ts";
import { sideForward, sideNames, sidePlace, sideTraining } from "../programs/side.ts";
import type { DeviceTensor, Tensors } from "../runtime/backend.ts";
import type { ModelBatch } from "./batch.ts";
import { shapeKey, shapeOf } from "./batch.ts";
import type { Block, NetworkContext } from "./context.ts";
import { embed, inferLayer, made } from "./passes.ts";

/** One batch on its way through the network. */
export interface SidePass {
  readonly context: NetworkContext;
  readonly batch: ModelBatch;
  readonly feeds: Tensors;
}

export interface SideTensors {
  readonly hidden: DeviceTensor;
  /** None before the side network begins. */
  readonly side: DeviceTensor | undefined;
}

/** The shape of a pass, where the network has a side network. */
function sideShape({ narrow }: NetworkContext, batch: ModelBatch): SideShape {
  invariant(narrow !== undefined, "the network has no side network");
  return { ...shapeOf(batch), narrow };
}

/** What the head reads, where the network has a side network; nothing is kept. */
export async function sideHidden(pass: SidePass): Promise<DeviceTensor> {
  const { context, batch, feeds } = pass;
  let hidden = await embed(context, batch, feeds);
  let side = await runSide(pass, context.embedding, { hidden, side: undefined }, "side.0");
  for (const [index, layer] of context.layers.entries()) {
    hidden = await inferLayer(context, index, batch, feeds, hidden);
    if (sidePlace(layer.setup))
      side = await runSide(pass, layer, { hidden, side }, `side.${index + 1}`);
  }
  return runSide(pass, context.head, { hidden, side }, "side.hidden");
}

/** One part of the side network without anything kept for a backward pass. */
export async function runSide(
  { context, batch, feeds }: SidePass,
  block: Block,
  states: SideTensors,
  buffer: string,
): Promise<DeviceTensor> {
  const shape = sideShape(context, batch);
  const key = `side ${block.setup.spec.id} ${shapeKey(shape)}`;
  const program = await context.pass(key, () => sideForward(context.model, block.setup, shape));
  const name = outputOf(block);
  const outputs = await context.run(block, program, {
    feeds: new Map([...feeds, ...stateFeeds(states)]),
    buffers: new Map([[name, buffer]]),
  });
  return made(outputs, name);
}

function outputOf({ setup }: Block): string {
  return setup.spec.kind === "head" ? layerNames.output : sideNames.output;
}

export function stateFeeds({
  hidden,
  side,
}: SideTensors): readonly (readonly [string, DeviceTensor])[] {
  return [[layerNames.hidden, hidden], ...(side ? ([[sideNames.state, side]] as const) : [])];
}

/** Trains the side network: `head` makes the loss and its gradient of what it is given. */
export async function trainSide(
  pass: SidePass,
  head: (
    hidden: DeviceTensor,
  ) => Promise<{ readonly loss: number; readonly gradient: DeviceTensor }>,
  complete: (block: Block) => Promise<void>,
  programs: Map<string, LayerPrograms>,
): Promise<number> {
  const { context, batch, feeds } = pass;
  /** Parts that ran, with what they read. */
  const ran: { readonly block: Block; readonly states: SideTensors }[] = [];
  let hidden = await embed(context, batch, feeds);
  let side: DeviceTensor | undefined;
  const run = async (block: Block, buffer: string): Promise<DeviceTensor> => {
    const states = { hidden, side };
    ran.push({ block, states });
    return forward(pass, block, states, buffer, programs);
  };
  side = await run(context.embedding, "side.0");
  for (const [index, layer] of context.layers.entries()) {
    // Each of the model's hidden states is read again for the gradient of its rung.
    const kept = sidePlace(layer.setup) ? `hidden.${index + 1}` : undefined;
    hidden = await inferLayer(context, index, batch, feeds, hidden, kept);
    if (kept !== undefined) side = await run(layer, `side.${index + 1}`);
  }
  const last = await run(context.head, "side.hidden");
  const { loss, gradient } = await head(last);
  let flowing = gradient;
  for (const [index, { block, states }] of [...ran.entries()].reverse()) {
    flowing = await backward(pass, block, states, flowing, `gradient.side.${index}`, programs);
    await complete(block);
  }
  return loss;
}

function programsOf(
  { context, batch }: SidePass,
  block: Block,
  programs: Map<string, LayerPrograms>,
): { readonly key: string; readonly both: LayerPrograms } {
  const shape = sideShape(context, batch);
  const key = `side ${block.setup.spec.id} ${shapeKey(shape)}`;
  const both =
    programs.get(key) ?? sideTraining(context.model, block.setup, shape, context.checkpointing);
  programs.set(key, both);
  return { key, both };
}

async function forward(
  pass: SidePass,
  block: Block,
  states: SideTensors,
  buffer: string,
  programs: Map<string, LayerPrograms>,
): Promise<DeviceTensor> {
  const { context, feeds } = pass;
  const { key, both } = programsOf(pass, block, programs);
  const name = outputOf(block);
  const outputs = await context.run(
    block,
    await context.pass(`train forward ${key}`, () => both.forward),
    {
      feeds: new Map([...feeds, ...stateFeeds(states)]),
      buffers: new Map([
        [name, buffer],
        ...both.residuals.map((residual) => residualBuffer(block, residual.name)),
      ]),
    },
  );
  return made(outputs, name);
}

async function backward(
  pass: SidePass,
  block: Block,
  states: SideTensors,
  gradient: DeviceTensor,
  buffer: string,
  programs: Map<string, LayerPrograms>,
): Promise<DeviceTensor> {
  const { context, feeds } = pass;
  const { key, both } = programsOf(pass, block, programs);
  const kept = both.residuals.map(({ name }) => {
    const tensor = context.buffers.get(at(residualBuffer(block, name), 1));
    invariant(tensor, `${name} was not kept for the backward pass`);
    return [name, tensor] as const;
  });
  const outputs = await context.run(
    block,
    await context.pass(`train backward ${key}`, () => both.backward),
    {
      feeds: new Map([
        ...feeds,
        ...stateFeeds(states),
        [layerNames.outputGradient, gradient],
        ...kept,
      ]),
      buffers: new Map([[sideNames.stateGradient, buffer]]),
    },
  );
  return outputs.get(sideNames.stateGradient) ?? gradient;
}

function residualBuffer({ setup }: Block, name: string): readonly [string, string] {
  return [name, `${setup.spec.id}.side.${name}`];
}
