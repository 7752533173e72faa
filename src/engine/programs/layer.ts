/** @file The programs of one layer kind: forward, backward with gradients, and inference with cached keys and values. */
import { at, invariant } from "../../shared/errors.ts";
import { differentiate } from "../autodiff/backward.ts";
import type { Graph, Value } from "../core/graph.ts";
import { newGraph } from "../core/graph.ts";
import { add, mul, scatterAdd } from "../core/ops.ts";
import type { Residual } from "../core/split.ts";
import { copyGraph, splitPasses } from "../core/split.ts";
import type { LayerContext, Model } from "../models/architecture.ts";
import type { TracedScope } from "./scope.ts";
import { traceScope } from "./scope.ts";
import type { BlockSetup } from "./setup.ts";

/** The shapes of a batch that a program is compiled for. */
export interface BatchShape {
  readonly batch: number;
  readonly length: number;
  /** Whether positions differ between the rows (packed documents). */
  readonly ownPositions: boolean;
  /** Added to attention scores: none, one row of keys for each sequence, or a full matrix for each. */
  readonly bias: "none" | "keys" | "full";
  /** How many places at the beginning of each sequence are no words but a method's own rows. */
  readonly virtual?: number;
}

export interface LayerPrograms {
  readonly forward: Graph;
  readonly backward: Graph;
  readonly residuals: readonly Residual[];
}

/** Names of a layer program's own inputs and outputs; gradients go in and out as `d.` and `grad.`. */
export const layerNames = {
  hidden: "hidden",
  output: "hidden.out",
  outputGradient: "d.hidden.out",
  inputGradient: "d.hidden",
  /** What the losses that methods add are multiplied by. */
  lossScale: "loss.scale",
  /** Their sum, multiplied so. */
  penalty: "penalty",
  accumulated: (tensor: string) => `sum.${tensor}`,
  gradient: (tensor: string) => `grad.${tensor}`,
} as const;

/** Forward alone, for evaluation. */
export function layerForward(model: Model, setup: BlockSetup, shape: BatchShape): Graph {
  const g = newGraph();
  const scope = traceScope(g, setup, { training: false });
  const hidden = hiddenInput(g, model, shape);
  g.output(layerNames.output, model.layer(scope, hidden, contextOf(scope, model, shape)));
  return copyGraph(g);
}

/**
 * Forward and backward. Each gradient output is added to an input of the same shape (`sum.X`), so that
 * micro-batches, chunks and tied tensors accumulate in place. Without `inputGradient` nothing flows below.
 */
export function layerTraining(
  model: Model,
  setup: BlockSetup,
  shape: BatchShape,
  options: {
    readonly checkpointing: boolean;
    readonly inputGradient: boolean;
    /** False where the layer rests: gradients flow through it alone. */
    readonly weightGradients?: boolean;
  },
): LayerPrograms {
  const g = newGraph();
  const scope = traceScope(g, setup, { training: true });
  const hidden = hiddenInput(g, model, shape);
  const output = model.layer(scope, hidden, contextOf(scope, model, shape));
  const seed = g.input(layerNames.outputGradient, "float32", output.shape);
  const trained = options.weightGradients === false ? new Map<string, Value>() : scope.trained;
  const wrt = [...trained.values(), ...(options.inputGradient ? [hidden] : [])];
  const seeds = new Map([[output, seed]]);
  const [first, ...others] = scope.losses;
  const factor = first && g.input(layerNames.lossScale, "float32", []);
  if (factor) for (const loss of scope.losses) seeds.set(loss, factor);
  const gradients = differentiate(g, seeds, wrt);
  const backwardOutputs = new Map(accumulatedGradients(g, trained, gradients));
  if (factor) {
    const sum = others.reduce((whole, loss) => add(g, whole, loss), first);
    backwardOutputs.set(layerNames.penalty, mul(g, sum, factor));
  }
  if (options.inputGradient) {
    const gradient = gradients.get(hidden);
    invariant(gradient, "no gradient reaches the layer's input");
    backwardOutputs.set(layerNames.inputGradient, gradient);
  }
  return splitPasses(
    g,
    new Map([[layerNames.output, output]]),
    backwardOutputs,
    [...new Set(seeds.values())],
    options.checkpointing,
  );
}

/** Inference on new tokens after `past` cached ones: outputs the new keys and values too. */
export function layerDecoding(
  model: Model,
  setup: BlockSetup,
  shape: BatchShape,
  past: number,
): Graph {
  const g = newGraph();
  const scope = traceScope(g, setup, { training: false });
  const { keyValueHeads, headDim } = model.sizes;
  const cached = (name: string): Value =>
    g.input(name, "float32", [shape.batch, keyValueHeads, past, headDim]);
  const context: LayerContext = {
    ...contextOf(scope, model, shape, past),
    ...(past > 0 ? { past: { keys: cached("past.keys"), values: cached("past.values") } } : {}),
    onKeysValues(keys, values) {
      g.output("keys", keys);
      g.output("values", values);
    },
  };
  g.output(layerNames.output, model.layer(scope, hiddenInput(g, model, shape), context));
  return copyGraph(g);
}

/** One output `grad.X` = `sum.X` + gradient for each trained tensor that a gradient reaches. */
export function accumulatedGradients(
  g: Graph,
  trained: ReadonlyMap<string, Value>,
  gradients: ReadonlyMap<Value, Value>,
): readonly (readonly [string, Value])[] {
  return [...trained].flatMap(([name, value]) => {
    const gradient = gradients.get(value);
    if (gradient === undefined) return [];
    const sum = g.input(layerNames.accumulated(name), "float32", value.shape);
    return [[layerNames.gradient(name), addOnto(g, sum, gradient)] as const];
  });
}

/** sum + gradient. Rows scattered over zeros go onto the sum itself: a table's gradient is as large as the table. */
function addOnto(g: Graph, sum: Value, gradient: Value): Value {
  const scattered = g.producer(gradient);
  if (scattered?.op !== "ScatterAdd") return add(g, sum, gradient);
  const [table, indices, updates] = scattered.inputs;
  return table && indices && updates && isZero(g, table)
    ? scatterAdd(g, sum, indices, updates)
    : add(g, sum, gradient);
}

function isZero(g: Graph, value: Value): boolean {
  const node = g.producer(value);
  if (node?.op === "Expand") return isZero(g, at(node.inputs, 0));
  return (
    node !== undefined && "data" in node.attributes && node.attributes.data.every((x) => x === 0)
  );
}

/** The hidden state enters and leaves as rows [batch · length, hidden]. */
export function hiddenInput(g: Graph, model: Model, { batch, length }: BatchShape): Value {
  return g.input(layerNames.hidden, "float32", [batch * length, model.sizes.hidden]);
}

/** The layer's context, with what a method puts before its keys and values. */
function contextOf(
  scope: TracedScope,
  model: Model,
  shape: BatchShape,
  past?: number,
): LayerContext {
  const { keyValueHeads, headDim } = model.sizes;
  const prefix = scope.prefix(shape.batch, keyValueHeads, headDim);
  return { ...layerContext(scope.g, model, shape, past), ...(prefix ? { prefix } : {}) };
}

/** What a layer reads beside the hidden state: rotary tables and what is added to attention scores. */
export function layerContext(g: Graph, model: Model, shape: BatchShape, past = 0): LayerContext {
  const { batch, length } = shape;
  const table = (name: string): Value =>
    g.input(name, "float32", [shape.ownPositions ? batch : 1, length, 1, model.sizes.headDim / 2]);
  const keys = past + length;
  return {
    batch,
    length,
    causal: model.causal && past === 0,
    ...(model.rotary ? { rotary: { cos: table("cos"), sin: table("sin") } } : {}),
    ...(shape.bias === "none"
      ? {}
      : { bias: g.input("bias", "float32", [batch, 1, shape.bias === "full" ? length : 1, keys]) }),
  };
}
