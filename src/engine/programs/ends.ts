/** @file The programs at both ends of a model: the embedding, and the head with its loss. */
import { invariant } from "../../shared/errors.ts";
import { differentiate } from "../autodiff/backward.ts";
import type { Graph, Value } from "../core/graph.ts";
import { newGraph } from "../core/graph.ts";
import { pickColumn } from "../core/columns.ts";
import {
  cast,
  constant,
  crossEntropy,
  equal,
  expand,
  gather,
  less,
  mul,
  reduceMax,
  reduceMean,
  reduceSum,
  reshape,
  scalar,
  scale,
  scatterAdd,
  sub,
  where,
} from "../core/ops.ts";
import { copyGraph, splitPasses } from "../core/split.ts";
import type { HeadTarget, Model } from "../models/architecture.ts";
import type { BatchShape, LayerPrograms } from "./layer.ts";
import { accumulatedGradients, layerNames } from "./layer.ts";
import { traceScope } from "./scope.ts";
import type { BlockSetup } from "./setup.ts";

/** Token ids to the first hidden state. */
export function embeddingForward(model: Model, setup: BlockSetup, shape: BatchShape): Graph {
  const g = newGraph();
  g.output(layerNames.output, embed(g, model, setup, shape).output);
  return copyGraph(g);
}

/** Gradients of the embedding's trained tensors from that of the first hidden state. */
export function embeddingTraining(
  model: Model,
  setup: BlockSetup,
  shape: BatchShape,
): LayerPrograms {
  const g = newGraph();
  const { output, trained } = embed(g, model, setup, shape);
  const seed = g.input(layerNames.outputGradient, "float32", output.shape);
  const gradients = differentiate(g, new Map([[output, seed]]), [...trained.values()]);
  return splitPasses(
    g,
    new Map([[layerNames.output, output]]),
    new Map(accumulatedGradients(g, trained, gradients)),
    [seed],
    true,
  );
}

function embed(
  g: Graph,
  model: Model,
  setup: BlockSetup,
  { batch, length, virtual = 0 }: BatchShape,
): { readonly output: Value; readonly trained: ReadonlyMap<string, Value> } {
  const scope = traceScope(g, setup, { training: true, tokens: { batch, virtual } });
  const tokens = (name: string): Value => g.input(name, "int32", [batch, length]);
  const output = model.embed(scope, {
    ids: tokens("ids"),
    positions: tokens("positions"),
    types: tokens("types"),
  });
  return { output, trained: scope.trained };
}

/** What the head reads: `count` rows, named by index, of a hidden state of `of` rows. */
export interface HeadShape {
  readonly count: number;
  readonly of: number;
}

/** `scores`: each row's loss, and 1 where its label has the highest logit. */
export type HeadOutputs = "scores" | "logits";

/**
 * What the head makes of some rows: `logits` [count, outputs], or `losses` and `hits` [count, 1]. `labels` are
 * int32 [count] (negative: no loss) for classes, float32 [count, outputs] for values (mean squared error).
 */
export function headForward(
  model: Model,
  setup: BlockSetup,
  shape: HeadShape,
  target: HeadTarget,
  outputs: HeadOutputs,
): Graph {
  const g = newGraph();
  const head = traceHead(g, model, setup, shape, target, false);
  if (outputs === "logits") g.output("logits", head.logits);
  else {
    g.output("losses", head.losses);
    g.output("hits", hits(g, head));
  }
  return copyGraph(g);
}

/**
 * Loss and gradients of some rows in one program: `loss` (Σ of the rows' losses, []), `grad.X` for trained
 * tensors, and the gradient of the hidden state, added at the rows' places to `sum.hidden`. All gradients
 * are those of `scale` · loss.
 */
export function headTraining(
  model: Model,
  setup: BlockSetup,
  shape: HeadShape,
  target: HeadTarget,
  inputGradient: boolean,
  weightGradients = true,
): Graph {
  const g = newGraph();
  const head = traceHead(g, model, setup, shape, target, true);
  const trained = weightGradients ? head.trained : new Map<string, Value>();
  const seed = expand(g, g.input("scale", "float32", [1, 1]), head.losses.shape);
  const gradients = differentiate(g, new Map([[head.losses, seed]]), [
    ...trained.values(),
    head.rows,
  ]);
  for (const [name, value] of accumulatedGradients(g, trained, gradients)) g.output(name, value);
  if (inputGradient) {
    const gradient = gradients.get(head.rows);
    invariant(gradient, "no gradient reaches the head's rows");
    const sum = g.input(layerNames.accumulated("hidden"), "float32", head.hidden.shape);
    g.output(layerNames.inputGradient, scatterAdd(g, sum, head.indices, gradient));
  }
  g.output("loss", reshape(g, reduceSum(g, head.losses, [0]), []));
  return copyGraph(g);
}

interface TracedHead {
  readonly hidden: Value;
  readonly indices: Value;
  readonly rows: Value;
  readonly logits: Value;
  readonly labels: Value;
  /** [count, 1] */
  readonly losses: Value;
  readonly trained: ReadonlyMap<string, Value>;
}

function traceHead(
  g: Graph,
  model: Model,
  setup: BlockSetup,
  { count, of }: HeadShape,
  target: HeadTarget,
  training: boolean,
): TracedHead {
  const scope = traceScope(g, setup, { training });
  const hidden = g.input(layerNames.hidden, "float32", [of, model.sizes.hidden]);
  const indices = g.input("indices", "int32", [count]);
  const rows = gather(g, hidden, indices);
  const logits = model.head(scope, rows);
  const labels =
    target === "classes"
      ? g.input("labels", "int32", [count])
      : g.input("labels", "float32", logits.shape);
  return {
    hidden,
    indices,
    rows,
    logits,
    labels,
    losses: lossOf(g, logits, labels),
    trained: scope.trained,
  };
}

function lossOf(g: Graph, logits: Value, labels: Value): Value {
  if (labels.dtype === "int32") return crossEntropy(g, logits, labels).loss;
  const error = sub(g, logits, labels);
  return reduceMean(g, mul(g, error, error), [1]);
}

/** [count, 1]: 1 where the label's logit is the largest, 0 elsewhere and for values. */
function hits(g: Graph, { logits, labels, losses }: TracedHead): Value {
  if (labels.dtype !== "int32") return scale(g, losses, 0);
  const zero = constant(g, "int32", [], Int32Array.of(0));
  const ignored = less(g, labels, zero);
  const columns = reshape(g, where(g, ignored, zero, labels), losses.shape);
  const own = pickColumn(g, logits, columns);
  const highest = cast(g, equal(g, own, reduceMax(g, logits, [1])), "float32");
  return where(g, reshape(g, ignored, losses.shape), scalar(g, 0), highest);
}
