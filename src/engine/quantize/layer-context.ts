/** @file One layer as a quantizer sees it before its matrices are stored: folding, the error of its output, and gradients. */
import type { Linalg } from "../../../kernels/linalg/index.ts";
import { at, invariant } from "../../shared/errors.ts";
import type { LinearSpec } from "../models/architecture.ts";
import type { HeldTensor } from "../network/base-weights.ts";
import type { CalibrationBatch } from "../network/calibration.ts";
import type { BlockSetup } from "../programs/setup.ts";
import { kindOf } from "../programs/setup.ts";
import type { Chain, LayerContext, QuantizeContext, SiteMatrix } from "../quantizers/context.ts";
import { chainsOf } from "./chains.ts";
import { heldOf } from "./held-weights.ts";
import { measuring, measuringParts } from "./layer-error.ts";
import type { LayerParts, States } from "./one-layer.ts";

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
  /** How much of the look at the layer is done. */
  readonly looked: (share: number) => void;
}

export function layerContextOf(layer: OpenLayer): LayerContext {
  const { parts, setup, weights, linears } = layer;
  const changed = changesOf(layer);
  const measure = measuring(layer);
  const measurePart = measuringParts(layer);
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
    looked: layer.looked,
    scale(chain, by) {
      changed.scale(chain, by);
      layer.rescale(chain.consumers, by);
    },
    shift(chain, by) {
      changed.shift(chain, by);
      layer.regather();
    },
    error: async (replaced, of) =>
      of === "part" ? measurePart(replaced) : (await measure(replaced, false)).error,
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

function dataOf(weights: ReadonlyMap<string, HeldTensor>, source: string): Float32Array {
  return heldOf(weights, source).data;
}
