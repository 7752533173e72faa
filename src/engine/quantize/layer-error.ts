/** @file How far a layer's output, or that of its attention or MLP, is off with other weights in some matrices' places; and gradients of that. */
import { at, invariant } from "../../shared/errors.ts";
import { differentiate } from "../autodiff/backward.ts";
import { newGraph } from "../core/graph.ts";
import type { Graph, Value } from "../core/graph.ts";
import { mul, reduceSum, scale as scaled, sub } from "../core/ops.ts";
import { copyGraph } from "../core/split.ts";
import type { BlockScope, LinearSpec, Model, PartName } from "../models/architecture.ts";
import type { HeldTensor } from "../network/base-weights.ts";
import { batchFeeds, shapeKey, shapeOf } from "../network/batch.ts";
import type { CalibrationBatch } from "../network/calibration.ts";
import { floats } from "../network/context.ts";
import { made } from "../network/passes.ts";
import type { Uploader } from "../network/uploads.ts";
import { withUploads } from "../network/uploads.ts";
import type { BatchShape } from "../programs/layer.ts";
import { hiddenInput, layerContext, layerNames } from "../programs/layer.ts";
import { inputNames, traceScope } from "../programs/scope.ts";
import type { BlockSetup } from "../programs/setup.ts";
import type { LayerGradients } from "../quantizers/context.ts";
import type { OpenLayer } from "./layer-context.ts";
import { heldOf } from "./held-weights.ts";
import { contextWith } from "./one-layer.ts";

/** Tokens on which errors and gradients are taken, nearly. */
const errorTokens = 4096;

type Replaced = ReadonlyMap<string, Float32Array>;

/** The mean squared difference from the targets on the first batches, and what its gradients are. */
export function measuring(of: OpenLayer) {
  const { parts, batches, states, targets, linears } = of;
  const { backend, model } = parts;
  const { context, put } = replacing(of);
  return async (replaced: Replaced, withGradients: boolean): Promise<LayerGradients> => {
    put(replaced);
    const layer = at(context.layers, 0);
    const wanted = withGradients ? linears.filter(({ module }) => replaced.has(module)) : [];
    const used = firstBatches(batches);
    const all = tokensOf(used) * model.sizes.hidden;
    const gradients = new Map(
      wanted.map(({ module, in: columns, out }) => [module, new Float32Array(columns * out)]),
    );
    let error = 0;
    for (const [index, { batch, counted }] of used.entries())
      await withUploads(backend, async (uploader) => {
        const shape = shapeOf(batch);
        const size = [batch.batch * batch.length, model.sizes.hidden];
        const key = `error ${shapeKey(shape)} ${wanted.map(({ name }) => name).join()}`;
        const pass = await context.pass(key, () =>
          errorProgram(model, layer.setup, shape, wanted, 2 / all),
        );
        const outputs = await context.run(layer, pass, {
          feeds: new Map([
            ...batchFeeds(uploader, model, batch),
            [layerNames.hidden, uploader.upload("float32", size, at(states, index))] as const,
            ["target", uploader.upload("float32", size, at(targets, index))] as const,
            ["counted", countedTensor(uploader, counted)] as const,
          ]),
          buffers: new Map(),
        });
        for (const value of await floats(backend, made(outputs, "squares"))) error += value / all;
        for (const { name, module } of wanted) {
          const own = await floats(backend, made(outputs, `by.${name}`));
          const sum = gradients.get(module);
          invariant(sum, "every wanted matrix has a sum");
          for (let i = 0; i < own.length; i++) sum[i] = (sum[i] ?? NaN) + (own[i] ?? NaN);
        }
        for (const output of outputs.values()) backend.release(output);
      });
    return { error, gradients };
  };
}

/**
 * The mean squared difference of what a part of the layer gives, over what it gives with the weights as they were at
 * the first call: of the attention or the MLP that holds all replaced matrices. Both read the same states.
 */
export function measuringParts(of: OpenLayer): (replaced: Replaced) => Promise<number> {
  const { parts, setup, batches, states } = of;
  const { backend, model } = parts;
  const { context, put } = replacing(of);
  const wanted = new Map<PartName, readonly Float32Array[]>();
  const used = firstBatches(batches);
  const outputs = async (part: PartName): Promise<readonly Float32Array[]> => {
    const layer = at(context.layers, 0);
    const found: Float32Array[] = [];
    for (const [index, { batch }] of used.entries())
      await withUploads(backend, async (uploader) => {
        const shape = shapeOf(batch);
        const pass = await context.pass(`part ${part} ${shapeKey(shape)}`, () =>
          partProgram(model, layer.setup, shape, part),
        );
        const size = [batch.batch * batch.length, model.sizes.hidden];
        const made = await context.run(layer, pass, {
          feeds: new Map([
            ...batchFeeds(uploader, model, batch),
            [layerNames.hidden, uploader.upload("float32", size, at(states, index))] as const,
          ]),
          buffers: new Map(),
        });
        for (const output of made.values()) {
          found.push((await floats(backend, output)).slice());
          backend.release(output);
        }
      });
    return found;
  };
  return async (replaced) => {
    const part = partOf(setup, replaced);
    let before = wanted.get(part);
    if (!before) {
      put(new Map());
      before = await outputs(part);
      wanted.set(part, before);
    }
    put(replaced);
    let error = 0;
    for (const [index, after] of (await outputs(part)).entries()) {
      const { counted } = at(used, index);
      const [target, width] = [at(before, index), model.sizes.hidden];
      for (const [row, counts] of counted.entries())
        if (counts === 1)
          for (let i = row * width; i < (row + 1) * width; i++)
            error += ((after[i] ?? NaN) - (target[i] ?? NaN)) ** 2;
    }
    return error / (tokensOf(used) * model.sizes.hidden);
  };
}

/** The part whose matrices these are. */
function partOf({ spec }: BlockSetup, replaced: Replaced): PartName {
  const names = [...replaced.keys()].map((module) => {
    const linear = spec.linears.find((one) => one.module === module);
    invariant(linear, `${module} is no site of the layer`);
    return linear.name;
  });
  const part = spec.parts?.find(({ linears }) => names.every((name) => linears.includes(name)));
  invariant(part, `${names.join()} are not of one part`);
  return part.name;
}

/** What a part gives [batch · length, hidden]. */
function partProgram(model: Model, setup: BlockSetup, shape: BatchShape, wanted: PartName): Graph {
  const g = newGraph();
  const scope = traceScope(g, setup, { training: false });
  const seen: Value[] = [];
  const watching: BlockScope = {
    ...scope,
    part(name, input, compute) {
      const output = scope.part(name, input, compute);
      if (name === wanted) seen.push(output);
      return output;
    },
  };
  model.layer(watching, hiddenInput(g, model, shape), layerContext(g, model, shape));
  g.output("part", at(seen, 0));
  return copyGraph(g);
}

/** A network of the layer alone, in which weights stand for others. One for all calls: a search asks hundreds of times. */
function replacing({ parts, setup, weights }: OpenLayer) {
  const tensors = new Map<string, HeldTensor>();
  return {
    context: contextWith(parts, setup, tensors),
    put: (replaced: Replaced): void => {
      for (const [source, held] of weights) tensors.set(source, held);
      for (const [module, data] of replaced) {
        const { shape } = heldOf(weights, `${module}.weight`);
        invariant(data.length === shape.reduce((a, b) => a * b, 1), `${module} has another size`);
        tensors.set(`${module}.weight`, { type: "float32", shape, data });
      }
    },
  };
}

function countedTensor(uploader: Uploader, counted: Uint8Array) {
  return uploader.upload("float32", [counted.length, 1], Float32Array.from(counted));
}

function tokensOf(batches: readonly CalibrationBatch[]): number {
  return batches.reduce((sum, { counted }) => sum + counted.reduce((own, one) => own + one, 0), 0);
}

/** `squares` [rows]: Σ over a row of (output − target)²; `by.<site>`: `factor` · (output − target) taken back to its weight. */
function errorProgram(
  model: Model,
  setup: BlockSetup,
  shape: BatchShape,
  wanted: readonly LinearSpec[],
  factor: number,
): Graph {
  const g = newGraph();
  const trained = new Set(wanted.map(({ name }) => `${name}.weight`));
  const scope = traceScope(g, { ...setup, trained }, { training: false });
  const hidden = hiddenInput(g, model, shape);
  const output = model.layer(scope, hidden, layerContext(g, model, shape));
  const counted = g.input("counted", "float32", [at(output.shape, 0), 1]);
  const difference = mul(g, sub(g, output, g.input("target", "float32", output.shape)), counted);
  g.output("squares", reduceSum(g, mul(g, difference, difference), [1]));
  if (wanted.length > 0) {
    const seeds = new Map([[output, scaled(g, difference, factor)]]);
    const weights = wanted.map(({ name }) => scope.tensor(`${name}.weight`));
    const gradients = differentiate(g, seeds, weights);
    for (const [index, { name }] of wanted.entries()) {
      const gradient = gradients.get(at(weights, index));
      invariant(gradient, `no gradient reaches ${inputNames.tensor(name)}`);
      g.output(`by.${name}`, gradient);
    }
  }
  return copyGraph(g);
}

function firstBatches(batches: readonly CalibrationBatch[]): readonly CalibrationBatch[] {
  let tokens = 0;
  return batches.filter(({ batch }) => {
    const fits = tokens < errorTokens;
    tokens += batch.batch * batch.length;
    return fits;
  });
}
