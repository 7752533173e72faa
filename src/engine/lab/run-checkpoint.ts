/** @file A checkpoint of a run of ours, or an adapter of our own form, beside its base. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Experiment } from "../../shared/experiment/fields/experiment-fields.ts";
import type { FullMatch } from "../methods/targets.ts";
import type { Factor, Factors } from "../network/factors.ts";
import { createFactors, isTaken } from "../network/factors.ts";
import { randomNumbers } from "../session/draw.ts";
import { drawFactors } from "../session/load-weights.ts";
import { openModel } from "../session/open-model.ts";
import { setUpModel } from "../session/set-up.ts";
import { storedSizes } from "../session/start-run.ts";
import { weightsFile } from "../train/run-state.ts";
import type { ModelPlaces, ModelReference } from "../weights/hub-cache.ts";
import { referenceOf } from "../weights/hub-cache.ts";
import { throwErrors } from "../weights/read-errors.ts";
import { openWeights } from "../weights/weight-source.ts";
import { methodSide } from "./method-side.ts";
import { plainName } from "./names.ts";
import type { StoredMatrix } from "./stored-matrix.ts";
import { isFloatMatrix, valuesOf } from "./stored-matrix.ts";
import type { SideRecord } from "../../shared/analysis-documents.ts";
import type { TunedSide } from "./tuned-side.ts";

/** What trained it. */
export interface TrainedBy extends Pick<Experiment, "task" | "method" | "quantization"> {
  readonly reference: ModelReference;
  /** Of the experiment: factors that are not stored are drawn from it. */
  readonly seed: number;
}

export function trainedBy({
  model,
  task,
  method,
  quantization,
  train: { seed },
}: Experiment): TrainedBy {
  return { reference: referenceOf(model), task, method, quantization, seed };
}

/** Opens `checkpoints/step-N` of a run, or another folder of that form. Factors that are not stored are drawn again from the seed. */
export async function runCheckpoint(
  folder: string,
  { reference, task, method, quantization, seed }: TrainedBy,
  places: ModelPlaces,
  fullMatch: FullMatch,
  record: SideRecord,
): Promise<TunedSide> {
  const opened = await openModel(reference, task, places);
  await opened.source.close();
  const setUp = (sizes?: ReadonlyMap<string, number>) =>
    setUpModel(opened.model, { method, quantization }, opened.source.tensors, fullMatch, sizes);
  const asked = setUp();
  throwErrors(asked.findings);
  // What was allotted by data differs from what the experiment says of each site.
  const { value: setup, findings } = setUp(await storedSizes(folder, asked.value));
  throwErrors(findings);
  const source = await openWeights(weightsFile(folder));
  const stored = join(folder, "factors.safetensors");
  const frozen = existsSync(stored) ? await openWeights(stored) : undefined;
  // A run's checkpoint holds weights in its own orientation, [out, in].
  const whole = new Map<string, StoredMatrix>();
  for (const info of source.tensors.values())
    if (!info.name.includes("#") && isFloatMatrix(info))
      whole.set(plainName(info.name), { source, info, transposed: false });
  let seeded: Factors | undefined;
  const drawn = (): Factors => {
    if (seeded) return seeded;
    seeded = createFactors(setup.factors);
    drawFactors(setup, seeded, randomNumbers(seed).start);
    return seeded;
  };
  return methodSide({
    ...{ record, method, setup, whole, findings: source.findings },
    async read(name): Promise<Factor | undefined> {
      const from = source.tensors.has(name) ? source : frozen;
      const info = from?.tensors.get(name);
      if (!from || !info) return isTaken(name) ? undefined : drawn().all.get(name);
      const bytes = await from.read(name);
      const data =
        info.dtype === "int32"
          ? new Int32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4)
          : new Float32Array(valuesOf(info, bytes));
      return { name, shape: info.shape, data, stored: true };
    },
    async close() {
      await frozen?.close();
      await source.close();
    },
  });
}
