/** @file The programs of a run with a side network, and what its passes keep: the model's own passes keep nothing. */
import { dtypeBytes, elementCount } from "../../shared/dtypes.ts";
import { sum } from "../../shared/sums.ts";
import type { Graph } from "../core/graph.ts";
import type { GenerationShape } from "../network/generation-shape.ts";
import { promptShape, tokenShape } from "../network/generation-shape.ts";
import type { Model } from "../models/architecture.ts";
import type { BatchShape } from "../programs/layer.ts";
import type { BlockSetup } from "../programs/setup.ts";
import { sideDecoding, sideForward, sidePlace, sideTraining } from "../programs/side.ts";

type Add = (graph: Graph) => void;

/** Blocks that have a part of a side network; none in other runs. */
export function sideBlocks(setups: readonly BlockSetup[]): readonly BlockSetup[] {
  return setups.filter((setup) => sidePlace(setup) !== undefined);
}

/** Width of the side network's state. */
function sideWidth(setups: readonly BlockSetup[]): number {
  return sideBlocks(setups)[0]?.places?.get("side")?.narrow?.sizes.hidden ?? 0;
}

/** Adds the programs of a step's passes up to the head; returns the bytes that are kept for its gradients. */
export function addSideTraining(
  model: Model,
  setups: readonly BlockSetup[],
  shape: BatchShape,
  checkpointing: boolean,
  add: Add,
): number {
  const rows = shape.batch * shape.length;
  const narrow = sideWidth(setups);
  const blocks = sideBlocks(setups);
  const known = new Map<string, number>();
  const residuals = blocks.map((setup) => {
    // Parts of one kind have the same programs: each is made once.
    const kind = kindOf(setup);
    const bytes = known.get(kind) ?? trainingOf(setup);
    known.set(kind, bytes);
    return bytes;
  });
  function trainingOf(setup: BlockSetup): number {
    const programs = sideTraining(model, setup, { ...shape, narrow }, checkpointing);
    add(programs.forward);
    add(programs.backward);
    return programs.residuals.reduce(
      (sum, { shape: size, dtype }) => sum + elementCount(size) * dtypeBytes[dtype],
      0,
    );
  }
  const rungs = blocks.filter(({ spec }) => spec.kind === "layer").length;
  const passing = setups.filter(({ spec }) => spec.kind === "layer").length > rungs ? 2 : 0;
  // The embedding's, each rung's, those of layers without one, the head's, and its gradient.
  const hidden = 4 * rows * model.sizes.hidden * (1 + rungs + passing + 2);
  // States, and their gradients.
  const states = 4 * rows * narrow * 2 * (1 + rungs);
  return hidden + states + sum(residuals);
}

/** Adds the programs of a measurement; returns the bytes of the states. */
export function addSideForward(
  model: Model,
  setups: readonly BlockSetup[],
  shape: BatchShape,
  add: Add,
): number {
  const narrow = sideWidth(setups);
  const blocks = sideBlocks(setups);
  for (const setup of ofEachKind(blocks)) add(sideForward(model, setup, { ...shape, narrow }));
  return 4 * shape.batch * shape.length * (narrow * blocks.length + model.sizes.hidden);
}

/** Adds the programs of generation; returns the bytes of the side network's caches. */
export function addSideDecoding(
  model: Model,
  setups: readonly BlockSetup[],
  shape: GenerationShape,
  add: Add,
): number {
  const narrow = sideWidth(setups);
  const passes = [
    { shape: promptShape(shape, 0), past: 0 },
    { shape: tokenShape(shape), past: shape.capacity },
  ];
  const blocks = sideBlocks(setups);
  for (const setup of ofEachKind(blocks))
    for (const pass of passes) {
      const own = { ...pass.shape, narrow };
      if (setup.spec.kind === "layer") add(sideDecoding(model, setup, own, pass.past));
      else add(sideForward(model, setup, own));
    }
  const caches = blocks.map((setup) => {
    const sizes = setup.spec.kind === "layer" ? sidePlace(setup)?.narrow?.sizes : undefined;
    return 2 * 4 * shape.batch * shape.capacity * (sizes ? sizes.keyValueHeads * sizes.headDim : 0);
  });
  return sum(caches);
}

function ofEachKind(blocks: readonly BlockSetup[]): readonly BlockSetup[] {
  return [...new Map(blocks.map((setup) => [kindOf(setup), setup])).values()];
}

/** What a part's programs depend on. */
function kindOf(setup: BlockSetup): string {
  return JSON.stringify([setup.spec.kind, [...(sidePlace(setup)?.params ?? [])]]);
}
