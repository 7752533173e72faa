/** @file The most memory a run will take, added up from the tensors that it will hold; nothing is fitted but the process's floor. */
import { dtypeBytes, elementCount } from "../../shared/dtypes.ts";
import { at } from "../../shared/errors.ts";
import type { Graph } from "../core/graph.ts";
import { printGraph } from "../core/print.ts";
import { cutAtLateInputs } from "../core/split.ts";
import type { Model } from "../models/architecture.ts";
import { logitRows } from "../network/head-rows.ts";
import { layoutBytes } from "../network/parameters.ts";
import type { ParameterSpec } from "../network/parameters.ts";
import { updatePrograms } from "../network/optimizer.ts";
import type { BoundRule } from "../optimizers/define.ts";
import {
  embeddingForward,
  embeddingTraining,
  headForward,
  headTraining,
} from "../programs/ends.ts";
import type { BatchShape } from "../programs/layer.ts";
import { layerForward, layerTraining } from "../programs/layer.ts";
import type { BlockSetup } from "../programs/setup.ts";
import {
  frozenFactors,
  heldBytes,
  parameterName,
  storageOf,
  trainedTensors,
} from "../programs/setup.ts";
import { rateProduct } from "./plan-time.ts";
import { bytesOf, programMemory } from "./program-memory.ts";

export interface MemoryPlan {
  /** Node, the libraries and both threads, before anything is loaded. */
  readonly process: number;
  /** The base as it is held, quantized and plain, and frozen factors of methods. */
  readonly base: number;
  /** Where weights are expanded to float32, one at a time. */
  readonly scratch: number;
  /** Trained tensors, their gradients and the optimizer's state. */
  readonly trained: number;
  /** Hidden states, gradients and what the forward pass keeps. */
  readonly activations: number;
  /** What the compiled programs keep for their intermediate results. */
  readonly programs: number;
  /** The second copy of a program's outputs, for a moment after it ran. */
  readonly copies: number;
  /** Tokens of the data. */
  readonly data: number;
  readonly total: number;
}

export interface MemoryInputs {
  readonly model: Model;
  readonly setups: readonly BlockSetup[];
  readonly rule: BoundRule;
  /** Everything that trains, tied tensors once. */
  readonly trained: readonly ParameterSpec[];
  readonly checkpointing: boolean;
  /** Shapes of the micro-batches, the largest among them. */
  readonly shapes: readonly BatchShape[];
  /** Rows of a micro-batch that have a loss, at most. */
  readonly targetRows: number;
  readonly target: "classes" | "values";
  /** Whether the run measures, which compiles programs of its own. */
  readonly measures: boolean;
  readonly dataBytes: number;
}

/**
 * The one constant here, measured: the peak of `spectune run` on a model whose tensors are next to nothing, less what
 * the plan says of those; `npm run bench -- memory` measures it again. Two fifths of it are the
 * libraries' code, the rest both threads' heaps and stacks.
 */
export const processFloor = 232e6;

/** glibc's `DEFAULT_MMAP_THRESHOLD_MAX`: larger blocks always have a mapping of their own. */
const largestHeapBlock = 2 ** 25;

/** Before each run a product measures the machine's rate: its larger factor, in bytes. */
const productBytes = 4 * rateProduct.inner * rateProduct.columns;

export function planMemory(inputs: MemoryInputs): MemoryPlan {
  const { base, scratch } = heldWeights(inputs);
  const trained = sum(Object.values(layoutBytes(inputs.trained, inputs.rule)));
  const passes = inputs.shapes.map((shape) => passMemory(inputs, shape));
  const updates = updatePrograms(inputs.rule, inputs.trained);
  const graphs = new Map(
    [...passes.flatMap((pass) => pass.graphs), ...updates].map((graph) => [
      printGraph(graph),
      graph,
    ]),
  );
  const outputs = [...graphs.values()].map((graph) => [...graph.outputs.values()].map(bytesOf));
  // Once malloc gets back a block that had a mapping of its own, it takes such sizes from its heap, up to a limit.
  const freed = [productBytes, ...readBuffers(inputs), ...outputs.flat()];
  const heapBytes = Math.max(...freed.filter((bytes) => bytes <= largestHeapBlock));
  const programs = [...graphs.values()].map((graph) => {
    const { arena, constants } = programMemory(graph);
    return arena(heapBytes) + constants;
  });
  const parts = {
    process: processFloor,
    base,
    scratch,
    trained,
    activations: Math.max(...passes.map((pass) => pass.activations)),
    programs: sum(programs),
    copies: Math.max(...outputs.map(sum)),
    data: inputs.dataBytes,
  };
  return { ...parts, total: sum(Object.values(parts)) };
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}

/** Sizes in which weights are read that are then held in another form. */
function readBuffers({ setups }: MemoryInputs): readonly number[] {
  return setups.flatMap((setup) =>
    setup.spec.tensors
      .filter(({ name }) => setup.trained.has(name) || storageOf(setup, name).type === "nf4")
      .map(({ shape }) => 4 * elementCount(shape)),
  );
}

function heldWeights({ setups }: MemoryInputs): {
  readonly base: number;
  readonly scratch: number;
} {
  const held = new Map<string, number>();
  let largestHalf = 0;
  let largestPacked = 0;
  for (const setup of setups)
    for (const { name, source, shape } of setup.spec.tensors) {
      if (setup.trained.has(name)) continue;
      const count = elementCount(shape);
      const storage = storageOf(setup, name);
      held.set(source, heldBytes(storage, count));
      if (storage.type === "nf4") largestPacked = Math.max(largestPacked, count);
      else if (storage.type !== "float32") largestHalf = Math.max(largestHalf, count);
    }
  // Frozen factors of methods, shared ones once.
  for (const setup of setups)
    for (const { name, shape } of frozenFactors(setup))
      held.set(parameterName(setup.spec, name), 4 * elementCount(shape));
  return {
    base: sum([...held.values()]),
    scratch: 4 * (largestHalf + largestPacked),
  };
}

interface PassMemory {
  readonly activations: number;
  /** Every program of a training step and of a measurement. */
  readonly graphs: readonly Graph[];
}

function passMemory(inputs: MemoryInputs, shape: BatchShape): PassMemory {
  const { model, setups, checkpointing } = inputs;
  // Without gradients a step is a measurement.
  const estimates = inputs.rule.gradients === "none";
  const measures = inputs.measures || estimates;
  const rows = shape.batch * shape.length;
  const hidden = rows * model.sizes.hidden * 4;
  const only = (kind: string): BlockSetup =>
    at(
      setups.filter(({ spec }) => spec.kind === kind),
      0,
    );
  const layers = setups.filter(({ spec }) => spec.kind === "layer");
  const embedding = only("embedding");
  const head = only("head");
  const trains = (setup: BlockSetup): boolean => !estimates && trainedTensors(setup).length > 0;
  const lowest = layers.findIndex(trains);
  const first = trains(embedding) ? 0 : lowest < 0 ? layers.length : lowest;

  const graphs: Graph[] = [embeddingForward(model, embedding, shape)];
  let activations = hidden * (1 + Math.min(2, first) + (layers.length - first) + 2);
  const crossing = new Map<string, number>();
  const add = (graph: Graph): void => {
    const parts = cutAtLateInputs(graph, 1);
    graphs.push(...parts);
    for (const part of parts)
      for (const [name, value] of part.outputs)
        if (!graph.outputs.has(name)) crossing.set(`${name} ${value.shape.join()}`, bytesOf(value));
  };
  // Layers of one kind have the same programs: each is made once, whatever the number of layers.
  const kept = new Map<string, number>();
  const once = (key: string, bytes: () => number): number => {
    const known = kept.get(key) ?? bytes();
    kept.set(key, known);
    return known;
  };
  layers.forEach((setup, index) => {
    const kind = kindOf(setup);
    if (index < first || measures)
      once(`forward ${kind}`, () => {
        add(layerForward(model, setup, shape));
        return 0;
      });
    if (index < first) return;
    const options = { checkpointing, inputGradient: index > first || trains(embedding) };
    activations += once(`training ${options.inputGradient} ${kind}`, () => {
      const { forward, backward, residuals } = layerTraining(model, setup, shape, options);
      add(forward);
      add(backward);
      return residuals.reduce(
        (sum, { shape: size, dtype }) => sum + elementCount(size) * dtypeBytes[dtype],
        0,
      );
    });
    for (const linear of setup.spec.linears)
      if ((setup.sites.get(linear.name)?.dropout ?? 0) > 0) activations += rows * linear.in;
  });
  const headShape = { count: logitRows(model, inputs.targetRows), of: rows };
  const flows = first < layers.length || trains(embedding);
  if (!estimates) add(headTraining(model, head, headShape, inputs.target, flows));
  if (measures) {
    add(headForward(model, head, headShape, inputs.target, "scores"));
    activations += 2 * hidden;
  }
  if (trains(embedding)) add(embeddingTraining(model, embedding, shape).backward);
  return { activations: activations + sum([...crossing.values()]), graphs };
}

/** What a layer's programs depend on: its tensors and sites by their names within the block, not where it stands. */
function kindOf({ spec, storage, trained, sites }: BlockSetup): string {
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
  ]);
}
