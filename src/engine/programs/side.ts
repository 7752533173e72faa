/** @file The programs of a side network: it reads the model's hidden states, and its gradients stay in it. */
import { invariant } from "../../shared/errors.ts";
import { differentiate } from "../autodiff/backward.ts";
import type { Graph, Value } from "../core/graph.ts";
import { newGraph } from "../core/graph.ts";
import { add, matmul } from "../core/ops.ts";
import { copyGraph, splitPasses } from "../core/split.ts";
import type { BlockScope, LayerContext, Model } from "../models/architecture.ts";
import type { BatchShape, LayerPrograms } from "./layer.ts";
import { accumulatedGradients, hiddenInput, layerContext, layerNames } from "./layer.ts";
import type { TracedScope } from "./scope.ts";
import { traceScope } from "./scope.ts";
import type { BlockSetup, PlaceMethod } from "./setup.ts";

/** Names of a side program's own inputs and outputs; the model's hidden state is `hidden`. */
export const sideNames = {
  state: "side",
  output: "side.out",
  stateGradient: "d.side",
} as const;

export interface SideShape extends BatchShape {
  /** Of the side network's state. */
  readonly narrow: number;
}

/** A block's part of a side network; undefined where it has none. */
export function sidePlace(setup: BlockSetup): PlaceMethod | undefined {
  const place = setup.places?.get("side");
  return place?.method.kind === "side" ? place : undefined;
}

/** One part forward: the first state, a layer's, or what the head reads (`hidden.out`). */
export function sideForward(model: Model, setup: BlockSetup, shape: SideShape): Graph {
  const g = newGraph();
  const { name, output } = trace(g, model, setup, shape, false);
  g.output(name, output);
  return copyGraph(g);
}

/** Forward and backward; a gradient for the state before it, and none for the model's hidden state. */
export function sideTraining(
  model: Model,
  setup: BlockSetup,
  shape: SideShape,
  checkpointing: boolean,
): LayerPrograms {
  const g = newGraph();
  const { name, output, state, scope } = trace(g, model, setup, shape, true);
  const seed = g.input(layerNames.outputGradient, "float32", output.shape);
  const own = new Map([...scope.trained].filter(([tensor]) => tensor.startsWith("side#")));
  const wrt = [...own.values(), ...(state ? [state] : [])];
  const gradients = differentiate(g, new Map([[output, seed]]), wrt);
  const outputs = new Map(accumulatedGradients(g, own, gradients));
  const flowing = state && gradients.get(state);
  if (flowing) outputs.set(sideNames.stateGradient, flowing);
  return splitPasses(g, new Map([[name, output]]), outputs, [seed], checkpointing);
}

/** A layer on new tokens after `past` cached ones: gives its new keys and values too. */
export function sideDecoding(
  model: Model,
  setup: BlockSetup,
  shape: SideShape,
  past: number,
): Graph {
  const g = newGraph();
  const { sizes } = narrowOf(setup);
  const cached = (name: string): Value =>
    g.input(name, "float32", [shape.batch, sizes.keyValueHeads, past, sizes.headDim]);
  const more = {
    ...(past > 0 ? { past: { keys: cached("past.keys"), values: cached("past.values") } } : {}),
    onKeysValues(keys: Value, values: Value) {
      g.output("keys", keys);
      g.output("values", values);
    },
  };
  const { name, output } = trace(g, model, setup, shape, false, past, more);
  g.output(name, output);
  return copyGraph(g);
}

/** The model as narrow as the side network. */
function narrowOf(setup: BlockSetup): Model {
  const { narrow } = sidePlace(setup) ?? {};
  invariant(narrow, `block ${setup.spec.id} has no part of a side network`);
  return narrow;
}

interface TracedSide {
  readonly name: string;
  readonly output: Value;
  /** The state before it. */
  readonly state: Value | undefined;
  readonly scope: TracedScope;
}

function trace(
  g: Graph,
  model: Model,
  setup: BlockSetup,
  shape: SideShape,
  training: boolean,
  past = 0,
  more: Partial<LayerContext> = {},
): TracedSide {
  const place = sidePlace(setup);
  invariant(place?.method.kind === "side", `block ${setup.spec.id} has no side network`);
  const { method } = place;
  const scope = traceScope(g, setup, { training });
  const params = scope.placed("side");
  const hidden = hiddenInput(g, model, shape);
  if (setup.spec.kind === "embedding") {
    const output = method.enter(g, hidden, params);
    return { name: sideNames.output, output, state: undefined, scope };
  }
  const rows = shape.batch * shape.length;
  const state = g.input(sideNames.state, "float32", [rows, shape.narrow]);
  if (setup.spec.kind === "head") {
    const output = method.leave(g, { hidden, side: state }, params);
    return { name: layerNames.output, output, state, scope };
  }
  const narrow = narrowOf(setup);
  const context = { ...layerContext(g, narrow, shape, past), ...more };
  const fused = method.fuse(g, { hidden, side: state }, params);
  const output = narrow.layer(sideScope(g, params), fused, context);
  return { name: sideNames.output, output, state, scope };
}

/** A narrow layer reaches the method's tensors in place of the model's. */
function sideScope(g: Graph, params: ReadonlyMap<string, Value>): BlockScope {
  const tensor = (name: string): Value => {
    const value = params.get(name);
    invariant(value, `the side network has no tensor ${name}`);
    return value;
  };
  const linear = (name: string, x: Value): Value => {
    const y = matmul(g, x, tensor(`${name}.weight`), { transB: true });
    const bias = params.get(`${name}.bias`);
    return bias ? add(g, y, bias) : y;
  };
  return {
    g,
    tensor,
    linear,
    part: (_name, input, compute) => compute(input, linear),
    lookup() {
      invariant(false, "a layer looks up no words");
    },
  };
}
