/** @file Gradients of frozen weights over a calibration set, some matrices at a time, so that memory holds those alone. */
import { elementCount } from "../../shared/dtypes.ts";
import { invariant } from "../../shared/errors.ts";
import type { BlockSpec, TensorSpec } from "../models/architecture.ts";
import type { ModelBatch } from "./batch.ts";
import type { CalibrationParts } from "./calibration.ts";
import { plainSetup, withTrained } from "./calibration.ts";
import { createContext, floats } from "./context.ts";
import { createFactors } from "./factors.ts";
import type { Parameter, Parameters } from "./parameters.ts";
import { createParameters } from "./parameters.ts";
import { noState } from "../optimizers/define.ts";
import { createProgramCache } from "./program-cache.ts";
import { createTrainer } from "./training.ts";

/** A weight whose gradient is wanted. */
export interface GradientTarget {
  readonly block: BlockSpec;
  readonly tensor: TensorSpec;
}

/**
 * `mean`: the gradient of the mean of the batches' mean losses. `squares`: Σ over batches of its square, each
 * batch by itself; with one example in each, the diagonal of the empirical Fisher information.
 */
export type GradientKind = "mean" | "squares";

export interface GradientOptions {
  readonly kind: GradientKind;
  /** Bytes of gradients, sums and weights held at a time; at least one matrix is. */
  readonly maxBytes: number;
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * Gives a target's gradient [shape] by its source. Targets are taken in groups, in the order given, that fit
 * `maxBytes`; each group costs one pass over the batches, and is given up when one of another is asked for.
 */
export function gatherGradients(
  parts: CalibrationParts,
  batches: readonly ModelBatch[],
  targets: readonly GradientTarget[],
  { kind, maxBytes, onProgress }: GradientOptions,
): { readonly groups: number; readonly of: (source: string) => Promise<Float32Array> } {
  const perElement = kind === "mean" ? 8 : 12;
  const groups = inGroups(targets, maxBytes / perElement);
  const cache = parts.cache ?? createProgramCache(parts.backend);
  const total = groups.length * batches.length;
  let held:
    { readonly index: number; readonly made: ReadonlyMap<string, Float32Array> } | undefined;
  return {
    groups: groups.length,
    async of(source) {
      const index = groups.findIndex((group) =>
        group.some(({ tensor }) => tensor.source === source),
      );
      const group = groups[index];
      invariant(group, `${source} is no target`);
      if (held?.index !== index) {
        held = undefined;
        const done = (count: number): void => onProgress?.(index * batches.length + count, total);
        held = { index, made: await passOver({ ...parts, cache }, batches, group, kind, done) };
      }
      const gradient = held.made.get(source);
      invariant(gradient, `${source} has no gradient`);
      return gradient;
    },
  };
}

/** Consecutive targets of at most so many elements together, at least one. */
function inGroups(
  targets: readonly GradientTarget[],
  most: number,
): readonly (readonly GradientTarget[])[] {
  const groups: GradientTarget[][] = [];
  let count = 0;
  for (const target of targets) {
    const size = elementCount(target.tensor.shape);
    if (groups.length === 0 || count + size > most) {
      groups.push([]);
      count = 0;
    }
    groups.at(-1)?.push(target);
    count += size;
  }
  return groups;
}

async function passOver(
  parts: CalibrationParts,
  batches: readonly ModelBatch[],
  group: readonly GradientTarget[],
  kind: GradientKind,
  done: (count: number) => void,
): Promise<ReadonlyMap<string, Float32Array>> {
  const base = withTrained(parts.base, parts.parameters);
  const parameters = parametersOver(
    group.map(({ tensor }) => {
      const { source: name, shape } = tensor;
      const held = base.get(name);
      // Nothing is written: a weight held in float32 is read where it is.
      const weight = held.type === "float32" ? held.data : base.decode(name).slice();
      const gradient = new Float32Array(weight.length);
      return { name, shape, decays: false, kind: "linear", weight, gradient };
    }),
  );
  const setups = new Map(
    [...parts.setups].map(([id, setup]) => {
      const own = group.filter(({ block }) => block.id === id).map(({ tensor }) => tensor.name);
      const storage = new Map([...setup.storage].filter(([name]) => !own.includes(name)));
      return [id, { ...plainSetup(setup), storage, trained: new Set(own) }] as const;
    }),
  );
  const context = createContext({
    ...parts,
    setups,
    base,
    parameters,
    factors: createFactors([]),
    drawMask: () => undefined,
  });
  const train = createTrainer(context);
  const squares = new Map(
    kind === "squares"
      ? group.map(({ tensor: { source, shape } }) => [
          source,
          new Float32Array(elementCount(shape)),
        ])
      : [],
  );
  for (const [index, batch] of batches.entries()) {
    const share = kind === "mean" ? 1 / batches.length : 1;
    await train(batch, share / scoredRows(batch));
    if (kind === "squares") {
      for (const [name, sums] of squares)
        addSquares(sums, await floats(parts.backend, context.trained.gradient(name)));
      context.trained.zeroGradients();
    }
    done(index + 1);
  }
  if (kind === "squares") return squares;
  const means = new Map<string, Float32Array>();
  for (const name of parameters.all.keys())
    means.set(name, await floats(parts.backend, context.trained.gradient(name)));
  return means;
}

/** Parameters in arrays of their own, without optimizer state. */
function parametersOver(list: readonly Parameter[]): Parameters {
  const all = new Map(list.map((parameter) => [parameter.name, parameter]));
  return {
    ...createParameters([], noState),
    all,
    count: list.reduce((sum, { weight }) => sum + weight.length, 0),
    get(name) {
      const parameter = all.get(name);
      invariant(parameter, `there is no trained tensor ${name}`);
      return parameter;
    },
    statesOf: () => new Map(),
    stateCount: 0,
    zeroGradients() {
      for (const { gradient } of list) gradient.fill(0);
    },
  };
}

/** Rows with a loss; at least 1, so that a batch without any has a gradient of zero. */
function scoredRows({ targets, rows }: ModelBatch): number {
  if (targets.kind === "values") return rows.length;
  return Math.max(
    1,
    targets.labels.reduce((count, label) => count + (label >= 0 ? 1 : 0), 0),
  );
}

function addSquares(into: Float32Array, gradient: Float32Array): void {
  for (const [place, value] of gradient.entries()) into[place] = (into[place] ?? 0) + value * value;
}
