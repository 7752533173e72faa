/** @file Every program that a run compiles, and the hidden states, gradients and caches that its passes keep. */
import { dtypeBytes, elementCount } from "../../shared/dtypes.ts";
import { at } from "../../shared/errors.ts";
import { sum } from "../../shared/sums.ts";
import type { Graph } from "../core/graph.ts";
import { cutAtLateInputs } from "../core/split.ts";
import type { HeadTarget, Model } from "../models/architecture.ts";
import type { GenerationShape } from "../network/generation-shape.ts";
import { promptShape, tokenShape } from "../network/generation-shape.ts";
import type { BeforeWords } from "../network/virtual-tokens.ts";
import { beforeWords, shapeWithRoom } from "../network/virtual-tokens.ts";
import type { BoundRule } from "../optimizers/define.ts";
import {
  embeddingForward,
  embeddingTraining,
  headForward,
  headTraining,
} from "../programs/ends.ts";
import type { BatchShape } from "../programs/layer.ts";
import { layerDecoding, layerForward, layerTraining } from "../programs/layer.ts";
import type { BlockSetup } from "../programs/setup.ts";
import { trainedTensors } from "../programs/setup.ts";
import type { PlannedShape } from "./batch-shapes.ts";
import { bytesOf } from "./program-memory.ts";
import { addSideDecoding, addSideForward, addSideTraining, sideBlocks } from "./side-programs.ts";

export interface ProgramInputs {
  readonly model: Model;
  readonly setups: readonly BlockSetup[];
  readonly rule: BoundRule;
  readonly checkpointing: boolean;
  /** The sets of blocks that train together in some step, where blocks train by turns. */
  readonly turns?: readonly ReadonlySet<string>[] | undefined;
  /** Micro-batches of the steps. */
  readonly batches: readonly PlannedShape[];
  /** Batches of all measurements. */
  readonly measured: readonly PlannedShape[];
  /** Groups of prompts of the measurements that generate. */
  readonly generated: readonly GenerationShape[];
  readonly target: HeadTarget;
}

export interface RunPrograms {
  /** As they are compiled, equal ones several times. */
  readonly graphs: readonly Graph[];
  /** Bytes of what passes keep at once: buffers have names, and grow to the largest pass. */
  readonly activations: number;
}

export function runPrograms(inputs: ProgramInputs): RunPrograms {
  const { model, generated, rule } = inputs;
  const before = beforeWords(inputs.setups);
  const widened = ({ shape, headRows }: PlannedShape): PlannedShape => ({
    shape: shapeWithRoom(shape, before),
    headRows,
  });
  const [batches, measured] = [inputs.batches.map(widened), inputs.measured.map(widened)];
  const graphs: Graph[] = [];
  // What goes from one part of a program to the next has a buffer for each of its shapes.
  const crossing = new Map<string, number>();
  const add = (graph: Graph): void => {
    const parts = cutAtLateInputs(graph, 1);
    graphs.push(...parts);
    for (const part of parts)
      for (const [name, value] of part.outputs)
        if (!graph.outputs.has(name)) crossing.set(`${name} ${value.shape.join()}`, bytesOf(value));
  };
  const blocks = blocksOf(inputs.setups);
  const hasSide = sideBlocks(inputs.setups).length > 0;
  // What the head says of a measured batch.
  const judged = new Map<string, number>();
  // Without gradients a step is a measurement.
  const estimates = rule.gradients === "none";
  const steps = estimates ? [] : batches.map((batch) => trainingPass(inputs, blocks, batch, add));
  const passing = [...(estimates ? batches : []), ...measured].map(({ shape, headRows }) => {
    add(embeddingForward(model, blocks.embedding, shape));
    for (const layer of blocks.kinds) add(layerForward(model, layer, shape));
    const outputs = model.task === "causal-lm" ? "scores" : "logits";
    for (const count of headRows) {
      const head = { count, of: shape.batch * shape.length };
      const graph = headForward(model, blocks.head, head, inputs.target, outputs);
      add(graph);
      for (const [name, value] of graph.outputs)
        judged.set(name, Math.max(judged.get(name) ?? 0, bytesOf(value)));
    }
    const side = hasSide ? addSideForward(model, inputs.setups, shape, add) : 0;
    return hiddenBytes(model, shape) + side;
  });
  const generating = generated.map((shape) => {
    const { hidden, kept } = generationPass(model, blocks, shape, before, add);
    const side = hasSide ? addSideDecoding(model, inputs.setups, shape, add) : 0;
    return { hidden, kept: kept + side };
  });
  const first = Math.max(0, ...passing, ...generating.map(({ hidden }) => hidden));
  return {
    graphs,
    activations:
      Math.max(0, ...steps) +
      // Two that alternate, and the first where no step keeps it.
      (steps.length > 0 ? 2 : 3) * first +
      Math.max(0, ...generating.map(({ kept }) => kept)) +
      sum([...crossing.values(), ...judged.values()]),
  };
}

interface Blocks {
  readonly embedding: BlockSetup;
  readonly head: BlockSetup;
  readonly layers: readonly BlockSetup[];
  /** One layer for each set of programs. */
  readonly kinds: readonly BlockSetup[];
}

function blocksOf(setups: readonly BlockSetup[]): Blocks {
  const of = (kind: string): readonly BlockSetup[] =>
    setups.filter(({ spec }) => spec.kind === kind);
  const layers = of("layer");
  const kinds = new Map(layers.map((layer) => [kindOf(layer), layer]));
  return {
    embedding: at(of("embedding"), 0),
    head: at(of("head"), 0),
    layers,
    kinds: [...kinds.values()],
  };
}

function hiddenBytes(model: Model, { batch, length }: BatchShape): number {
  return batch * length * model.sizes.hidden * 4;
}

/** Adds the programs of a step's pass; returns the bytes that it keeps. */
function trainingPass(
  inputs: ProgramInputs,
  blocks: Blocks,
  planned: PlannedShape,
  add: (graph: Graph) => void,
): number {
  const { model, setups, checkpointing, turns } = inputs;
  const { shape } = planned;
  add(embeddingForward(model, blocks.embedding, shape));
  const kept = new Map<string, number>();
  // A buffer is as large as the largest of what has its name in turn.
  const keep: Keep = (name, bytes) => kept.set(name, Math.max(kept.get(name) ?? 0, bytes));
  if (sideBlocks(setups).length > 0)
    keep("side", addSideTraining(model, setups, shape, checkpointing, add));
  for (const turn of turns ?? [undefined]) trainingTurn(inputs, blocks, planned, turn, add, keep);
  return [...kept.values()].reduce((sum, bytes) => sum + bytes, 0);
}

type Keep = (name: string, bytes: number) => void;

/** The same where only some of the blocks train, or all; buffers have their names of `network/training.ts`. */
function trainingTurn(
  { model, setups, checkpointing, target }: ProgramInputs,
  { embedding, head, layers }: Blocks,
  { shape, headRows }: PlannedShape,
  turn: ReadonlySet<string> | undefined,
  add: (graph: Graph) => void,
  keep: Keep,
): void {
  const rows = shape.batch * shape.length;
  const hasSide = sideBlocks(setups).length > 0;
  const hasTrained = (setup: BlockSetup): boolean => trainedTensors(setup).length > 0;
  // No gradient runs through a model beside which a side network trains.
  const trains = (setup: BlockSetup): boolean =>
    !hasSide && hasTrained(setup) && (turn?.has(setup.spec.id) ?? true);
  const lowest = layers.findIndex(trains);
  const first = trains(embedding) ? 0 : lowest < 0 ? layers.length : lowest;
  if (!hasSide) {
    const hidden = hiddenBytes(model, shape);
    for (const name of ["hidden.0", "gradient.0", "gradient.1"]) keep(name, hidden);
    for (let index = 1; index <= layers.length; index++)
      keep(index <= first ? `passing.${(index - 1) % 2}` : `hidden.${index}`, hidden);
  }
  // Layers of one kind have the same programs: each is made once, whatever the number of layers.
  const known = new Map<string, readonly (readonly [string, number])[]>();
  const once = (
    key: string,
    make: () => readonly (readonly [string, number])[],
  ): readonly (readonly [string, number])[] => {
    const made = known.get(key) ?? make();
    known.set(key, made);
    return made;
  };
  layers.forEach((setup, index) => {
    const kind = kindOf(setup);
    if (index < first) {
      once(`forward ${kind}`, () => {
        add(layerForward(model, setup, shape));
        return [];
      });
      return;
    }
    const options = {
      checkpointing,
      inputGradient: index > first || trains(embedding),
      weightGradients: !hasTrained(setup) || hasSide || trains(setup),
    };
    const residuals = once(
      `training ${options.inputGradient} ${options.weightGradients} ${kind}`,
      () => {
        const programs = layerTraining(model, setup, shape, options);
        add(programs.forward);
        add(programs.backward);
        return programs.residuals.map(
          ({ name, shape: size, dtype }) => [name, elementCount(size) * dtypeBytes[dtype]] as const,
        );
      },
    );
    const { id, linears } = setup.spec;
    for (const [name, bytes] of residuals) keep(`${id}.${name}`, bytes);
    for (const linear of linears)
      if ((setup.sites.get(linear.name)?.dropout ?? 0) > 0)
        keep(`${id}.mask.${linear.name}`, rows * linear.in);
  });
  const flows = hasSide || first < layers.length || trains(embedding);
  const whole = !hasTrained(head) || hasSide || trains(head);
  for (const count of headRows)
    add(headTraining(model, head, { count, of: rows }, target, flows, whole));
  if (trains(embedding)) add(embeddingTraining(model, embedding, shape).backward);
}

/** Adds the programs of a group of prompts; returns the bytes of a hidden state, and of caches and logits. */
function generationPass(
  model: Model,
  { embedding, head, layers, kinds }: Blocks,
  shape: GenerationShape,
  before: BeforeWords,
  add: (graph: Graph) => void,
): { readonly hidden: number; readonly kept: number } {
  const { batch, promptLength, capacity } = shape;
  const prompt = promptShape(shape, before.tokens);
  const passes = [
    { shape: prompt, past: 0 },
    { shape: tokenShape(shape), past: capacity },
  ];
  for (const pass of passes) {
    add(embeddingForward(model, embedding, pass.shape));
    for (const layer of kinds) add(layerDecoding(model, layer, pass.shape, pass.past));
    const rows = { count: batch, of: batch * pass.shape.length };
    add(headForward(model, head, rows, "classes", "logits"));
  }
  const { keyValueHeads, headDim, vocabulary } = model.sizes;
  const place = 4 * batch * keyValueHeads * headDim;
  return {
    hidden: hiddenBytes(model, prompt),
    kept: 2 * place * (layers.length * capacity + promptLength) + 4 * batch * vocabulary,
  };
}

/** What a layer's programs depend on: its tensors and sites by their names within the block, not where it stands. */
function kindOf({ spec, storage, trained, sites, places }: BlockSetup): string {
  return JSON.stringify([
    spec.tensors.map(({ name, shape, role }) => [name, shape, role]),
    spec.linears.map(({ name, in: width, out, bias }) => [name, width, out, bias]),
    [...storage],
    [...trained],
    [...sites].map(([name, { method, params, dropout }]) => [
      name,
      method.name,
      method.config,
      [...params],
      dropout,
    ]),
    [...(places ?? [])].map(([name, { method, params }]) => [
      name,
      method.name,
      method.config,
      [...params],
    ]),
  ]);
}
