/** @file One layer forward that also hands out what its linear sites read: a calibration set's inputs. */
import type { Graph, Value } from "../core/graph.ts";
import { newGraph } from "../core/graph.ts";
import { reduceSum } from "../core/ops.ts";
import { copyGraph } from "../core/split.ts";
import type { BlockScope, LayerContext, Model } from "../models/architecture.ts";
import type { BatchShape } from "./layer.ts";
import { hiddenInput, layerContext, layerNames } from "./layer.ts";
import { traceScope } from "./scope.ts";
import type { BlockSetup } from "./setup.ts";

/** One input that some of a layer's sites read, such as queries, keys and values. */
export interface Tap {
  /** Name of the program's output [batch · length, width]. */
  readonly output: string;
  /** Names of the linear sites within the layer. */
  readonly sites: readonly string[];
  readonly width: number;
}

/** Output of attention's weights summed over heads [batch, queries, keys], where they are asked for. */
export const attentionOutput = "attention";

export interface TappedLayer {
  readonly graph: Graph;
  /** Each distinct input once. */
  readonly taps: readonly Tap[];
}

/** The forward pass with the inputs of `wanted` sites, and what tokens attend to, as further outputs. */
export function tappedLayer(
  model: Model,
  setup: BlockSetup,
  shape: BatchShape,
  wanted: ReadonlySet<string>,
  attention = false,
): TappedLayer {
  const g = newGraph();
  const scope = traceScope(g, setup, { training: false });
  const readers = new Map<Value, string[]>();
  const tapping: BlockScope = {
    ...scope,
    linear(name, x) {
      if (wanted.has(name)) readers.set(x, [...(readers.get(x) ?? []), name]);
      return scope.linear(name, x);
    },
    part: (_name, input, compute) => compute(input, (name, x) => tapping.linear(name, x)),
  };
  const hidden = hiddenInput(g, model, shape);
  const context: LayerContext = {
    ...layerContext(g, model, shape),
    ...(attention && {
      onAttention: (weights) => {
        g.output(attentionOutput, reduceSum(g, weights, [1]));
      },
    }),
  };
  g.output(layerNames.output, model.layer(tapping, hidden, context));
  const taps = [...readers].map(([x, sites], index): Tap => {
    const output = `tap.${index}`;
    g.output(output, x);
    return { output, sites, width: x.shape.at(-1) ?? 0 };
  });
  return { graph: copyGraph(g), taps };
}
