/** @file Gradients of the float model's loss by its matrices: the one thing for which all of the model is in memory. */
import { invariant } from "../../shared/errors.ts";
import type { CalibrationBatch } from "../network/calibration.ts";
import type { GradientKind } from "../network/calibration-gradients.ts";
import { gatherGradients } from "../network/calibration-gradients.ts";
import type { ModelBatch } from "../network/batch.ts";
import { noState } from "../optimizers/define.ts";
import type { QuantizerNeed } from "../quantizers/context.ts";
import type { Backend } from "../runtime/backend.ts";
import { openNetwork } from "../session/open-network.ts";
import type { ModelSetup } from "../session/set-up.ts";
import type { WeightSource } from "../weights/weight-source.ts";
import { withTargets } from "./perplexity.ts";
import type { LossGradients } from "./statistics.ts";

/** Bytes of gradients and what belongs to them that are held at a time. */
const gradientBytes = 2 ** 30;

/** Undefined where none of `needs` is a gradient of the loss. Gradients come in the order of the model. */
export async function openLosses(
  backend: Backend,
  setup: ModelSetup,
  source: WeightSource,
  batches: readonly CalibrationBatch[],
  needs: readonly QuantizerNeed[],
  modules: readonly string[],
): Promise<LossGradients | undefined> {
  if (!needs.includes("gradient") && !needs.includes("fisher")) return undefined;
  const nothing = (): void => undefined;
  const network = await openNetwork({
    backend,
    setup,
    source,
    layout: noState,
    checkpointing: true,
    draw: nothing,
    drawMask: nothing,
    onProgress: nothing,
  });
  const targets = [...setup.setups.values()].flatMap(({ spec: block }) =>
    block.linears
      .filter(({ module }) => modules.includes(module))
      .map(({ name }) => {
        const tensor = block.tensors.find((one) => one.name === `${name}.weight`);
        invariant(tensor, `${name} has no weight`);
        return { block, tensor };
      }),
  );
  const { model, setups } = setup;
  const parts = {
    backend,
    model,
    setups,
    base: network.base,
    parameters: network.parameters,
    checkpointing: true,
  };
  const gather = (kind: GradientKind, of: readonly ModelBatch[]) =>
    gatherGradients(parts, of, targets, { kind, maxBytes: gradientBytes }).of;
  const predicted = batches.map(withTargets);
  const gradient = gather("mean", predicted);
  const fisher = gather("squares", predicted.flatMap(oneByOne));
  return {
    gradient: (module) => gradient(`${module}.weight`),
    fisher: (module) => fisher(`${module}.weight`),
  };
}

/** Each sequence as a batch of its own. */
function oneByOne(of: ModelBatch): readonly ModelBatch[] {
  const { batch, length, targets, rows, bias } = of;
  return Array.from({ length: batch }, (_, index) => {
    const from = index * length;
    const part = <A extends Int32Array | Float32Array>(data: A): A =>
      slice(data, from, from + length);
    const own = [...rows.keys()].filter((row) => {
      const place = rows[row] ?? -1;
      return place >= from && place < from + length;
    });
    invariant(targets.kind === "classes", "the next token is a class");
    return {
      ...of,
      batch: 1,
      ids: part(of.ids),
      positions: part(of.positions),
      types: part(of.types),
      rows: Int32Array.from(own, (row) => (rows[row] ?? 0) - from),
      targets: {
        kind: "classes",
        labels: Int32Array.from(own, (row) => targets.labels[row] ?? -1),
      },
      ...(bias && { bias: { kind: bias.kind, data: part(bias.data) } }),
    };
  });
}

function slice<A extends Int32Array | Float32Array>(data: A, from: number, to: number): A;
function slice(
  data: Int32Array | Float32Array,
  from: number,
  to: number,
): Int32Array | Float32Array {
  return data.slice(from, to);
}
