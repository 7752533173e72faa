/** @file The first layer of a small model of formula weights, opened as the quantizer's runner opens it. */
import { createLinalg } from "../../../../kernels/linalg/index.ts";
import type { Model } from "../../../../src/engine/models/architecture.ts";
import type { HeldTensor } from "../../../../src/engine/network/base-weights.ts";
import type { ModelBatch } from "../../../../src/engine/network/batch.ts";
import type { CalibrationBatch } from "../../../../src/engine/network/calibration.ts";
import { createProgramCache } from "../../../../src/engine/network/program-cache.ts";
import type { BlockSetup } from "../../../../src/engine/programs/setup.ts";
import type { QuantizeContext } from "../../../../src/engine/quantizers/context.ts";
import type { OpenLayer } from "../../../../src/engine/quantize/layer-context.ts";
import type { LayerParts, States } from "../../../../src/engine/quantize/one-layer.ts";
import { embeddedStates } from "../../../../src/engine/quantize/one-layer.ts";
import { kernelBytes } from "../../../../src/engine/runtime/kernels.ts";
import type { Backend } from "../../../../src/engine/runtime/backend.ts";
import { at, invariant } from "../../../../src/shared/errors.ts";
import { formulaWeights } from "../../../support/formula-weights.ts";

export interface SmallModel {
  readonly parts: LayerParts;
  readonly setup: BlockSetup;
  readonly weights: Map<string, HeldTensor>;
  readonly batches: readonly CalibrationBatch[];
  readonly states: States;
}

/** Of each sequence the last token does not count. */
export async function smallModel(
  backend: Backend,
  model: Model,
  batch: ModelBatch,
): Promise<SmallModel> {
  const read = formulaWeights(model);
  const setups = new Map(model.blocks.map((spec) => [spec.id, plain(spec)]));
  const parts = { backend, cache: createProgramCache(backend), model, setups };
  const held = (kind: "embedding" | "layer") =>
    new Map(
      at(
        model.blocks.filter((block) => block.kind === kind),
        0,
      ).tensors.map((tensor) => [
        tensor.source,
        { type: "float32", shape: tensor.shape, data: read(tensor.source) } as const,
      ]),
    );
  const counted = Uint8Array.from(batch.ids, (_, i) =>
    i % batch.length === batch.length - 1 ? 0 : 1,
  );
  const batches = [{ batch, counted }];
  const layer = model.blocks.find(({ kind }) => kind === "layer");
  invariant(layer, "a model has layers");
  return {
    parts,
    setup: plain(layer),
    weights: new Map<string, HeldTensor>(held("layer")),
    batches,
    states: await embeddedStates(parts, held("embedding"), batches),
  };
}

/** Its layer, of which the output that it gives now is not the target, so that the two errors differ. */
export function openLayer({ parts, setup, weights, batches, states }: SmallModel): OpenLayer {
  return {
    parts,
    setup,
    weights,
    batches,
    states,
    targets: states,
    linalg: createLinalg(kernelBytes("linalg")),
    linears: setup.spec.linears,
    of: (): QuantizeContext => {
      throw new RangeError("nothing was gathered");
    },
    rescale: () => undefined,
    regather: () => undefined,
    looked: () => undefined,
  };
}

function plain(spec: BlockSetup["spec"]): BlockSetup {
  return { spec, trained: new Set(), sites: new Map(), storage: new Map() };
}
