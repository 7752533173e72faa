/** @file One layer as a quantizer sees it before its matrices are stored: folding, the error of its output, and gradients. */
import type { Linalg } from "../../../kernels/linalg/index.ts";
import { at, invariant } from "../../shared/errors.ts";
import { differentiate } from "../autodiff/backward.ts";
import { newGraph } from "../core/graph.ts";
import type { Graph } from "../core/graph.ts";
import { mul, reduceSum, scale as scaled, sub } from "../core/ops.ts";
import { copyGraph } from "../core/split.ts";
import type { LinearSpec, Model } from "../models/architecture.ts";
import type { HeldTensor } from "../network/base-weights.ts";
import { batchFeeds, shapeKey, shapeOf } from "../network/batch.ts";
import type { CalibrationBatch } from "../network/calibration.ts";
import { floats } from "../network/context.ts";
import { made } from "../network/inference.ts";
import { withUploads } from "../network/uploads.ts";
import type { BatchShape } from "../programs/layer.ts";
import { hiddenInput, layerContext, layerNames } from "../programs/layer.ts";
import { inputNames, traceScope } from "../programs/scope.ts";
import type { BlockSetup } from "../programs/setup.ts";
import { kindOf } from "../programs/setup.ts";
import type {
  Chain,
  LayerContext,
  LayerGradients,
  QuantizeContext,
  SiteMatrix,
} from "../quantizers/context.ts";
import type { LayerParts, States } from "./one-layer.ts";
import { contextWith } from "./one-layer.ts";
import { chainsOf } from "./chains.ts";

/** Tokens on which errors and gradients are taken, nearly. */
const errorTokens = 4096;

export interface OpenLayer {
  readonly parts: LayerParts;
  readonly linalg: Linalg;
  readonly setup: BlockSetup;
  /** Folding puts others in their place. */
  readonly weights: Map<string, HeldTensor>;
  readonly batches: readonly CalibrationBatch[];
  /** What the layer reads with all before it quantized, and what it should give. */
  readonly states: States;
  readonly targets: States;
  readonly linears: readonly LinearSpec[];
  readonly of: (module: string) => QuantizeContext;
  /** Statistics of what these modules read are to be divided by `by`, or to be gathered anew. */
  readonly rescale: (modules: readonly string[], by: Float32Array) => void;
  readonly regather: () => void;
}

export function layerContextOf(layer: OpenLayer): LayerContext {
  const { parts, setup, weights, linears } = layer;
  const changed = changesOf(layer);
  const measure = measuring(layer);
  const chains = chainsOf(parts.model, setup.spec);
  const matrix = ({ module, in: columns, out: rows, ...linear }: LinearSpec): SiteMatrix => ({
    module,
    kind: kindOf({ module, ...linear }),
    rows,
    columns,
    data: dataOf(weights, `${module}.weight`),
  });
  return {
    linalg: layer.linalg,
    chains: chains.filter(({ consumers }) =>
      consumers.every((module) => linears.some((linear) => linear.module === module)),
    ),
    matrices: () => linears.map(matrix),
    of: layer.of,
    scale(chain, by) {
      changed.scale(chain, by);
      layer.rescale(chain.consumers, by);
    },
    shift(chain, by) {
      changed.shift(chain, by);
      layer.regather();
    },
    error: async (replaced) => (await measure(replaced, false)).error,
    gradients: (replaced) => measure(replaced, true),
  };
}

function changesOf({ setup, weights, linears }: OpenLayer) {
  const change = (source: string, of: (value: number, index: number) => number): void => {
    const held = weights.get(source);
    invariant(held?.type === "float32", `${source} was not read`);
    weights.set(source, { ...held, data: held.data.map(of) });
  };
  const linear = (module: string): LinearSpec => {
    const found = linears.find((one) => one.module === module);
    invariant(found, `${module} is no site of the layer`);
    return found;
  };
  const normSource = (name: string): string | undefined =>
    setup.spec.tensors.find((tensor) => tensor.name === name)?.source;
  return {
    scale({ producer, consumers, width }: Chain, by: Float32Array): void {
      invariant(by.length === width && by.every((s) => s > 0), "a factor is not above 0");
      if (producer.kind === "norm")
        for (const part of ["weight", "bias"]) {
          const source = normSource(`${producer.name}.${part}`);
          if (source !== undefined) change(source, (value, j) => value / at(by, j));
        }
      else {
        const { module, first } = producer;
        const { in: columns, bias } = linear(module);
        const factor = (row: number): number => by[row - first] ?? 1;
        change(`${module}.weight`, (value, i) => value / factor(Math.floor(i / columns)));
        if (bias) change(`${module}.bias`, (value, i) => value / factor(i));
      }
      for (const module of consumers)
        change(`${module}.weight`, (value, i) => value * at(by, i % width));
    },
    shift({ producer, consumers, width, shifts }: Chain, by: Float32Array): void {
      invariant(shifts && by.length === width, "this chain cannot be shifted");
      for (const module of consumers) {
        const { data } = heldOf(weights, `${module}.weight`);
        change(`${module}.bias`, (value, row) => {
          let sum = value;
          for (let j = 0; j < width; j++) sum += at(data, row * width + j) * at(by, j);
          return sum;
        });
      }
      if (producer.kind === "norm")
        change(normSource(`${producer.name}.bias`) ?? "", (value, j) => value - at(by, j));
      else
        change(`${producer.module}.bias`, (value, row) => value - (by[row - producer.first] ?? 0));
    },
  };
}

/** The mean squared difference from the targets on the first batches, and what its gradients are. */
function measuring({ parts, setup, weights, batches, states, targets, linears }: OpenLayer) {
  const { backend, model } = parts;
  const tensors = new Map<string, HeldTensor>();
  // One for all calls: a search asks hundreds of times.
  const context = contextWith(parts, setup, tensors);
  return async (
    replaced: ReadonlyMap<string, Float32Array>,
    withGradients: boolean,
  ): Promise<LayerGradients> => {
    for (const [source, held] of weights) tensors.set(source, held);
    for (const [module, data] of replaced) {
      const { shape } = heldOf(weights, `${module}.weight`);
      invariant(data.length === shape.reduce((a, b) => a * b, 1), `${module} has another size`);
      tensors.set(`${module}.weight`, { type: "float32", shape, data });
    }
    const layer = at(context.layers, 0);
    const wanted = withGradients ? linears.filter(({ module }) => replaced.has(module)) : [];
    const used = firstBatches(batches);
    const tokens = used.reduce(
      (sum, { counted }) => sum + counted.reduce((own, one) => own + one, 0),
      0,
    );
    const all = tokens * model.sizes.hidden;
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
            [
              "counted",
              uploader.upload("float32", [counted.length, 1], Float32Array.from(counted)),
            ] as const,
          ]),
          buffers: new Map(),
        });
        for (const value of await floats(backend, made(outputs, "squares"))) error += value / all;
        for (const { name, module } of wanted) {
          const own = await floats(backend, made(outputs, `by.${name}`));
          const sum = gradients.get(module);
          invariant(sum, "every wanted matrix has a sum");
          for (const [i, value] of own.entries()) sum[i] = (sum[i] ?? NaN) + value;
        }
        for (const output of outputs.values()) backend.release(output);
      });
    return { error, gradients };
  };
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

function heldOf(
  weights: ReadonlyMap<string, HeldTensor>,
  source: string,
): HeldTensor & { readonly type: "float32" } {
  const held = weights.get(source);
  invariant(held?.type === "float32", `${source} was not read`);
  return held;
}

function dataOf(weights: ReadonlyMap<string, HeldTensor>, source: string): Float32Array {
  return heldOf(weights, source).data;
}
