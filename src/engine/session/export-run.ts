/** @file What a run leaves behind: its adapter or merged model, in the forms that the experiment asks for. */
import { join } from "node:path";
import type { DType } from "../../shared/dtypes.ts";
import type { Experiment } from "../../shared/experiment/fields/experiment-fields.ts";
import type { Finding } from "../../shared/findings.ts";
import type { EventBody } from "../../shared/protocol.ts";
import { methods, rowNamed } from "../catalog.ts";
import { writeMergedModel } from "../exports/merged-model.ts";
import { writePeftAdapter } from "../exports/peft-adapter.ts";
import { pythonScript } from "../exports/script.ts";
import type { BaseWeights } from "../network/base-weights.ts";
import type { Factors } from "../network/factors.ts";
import type { Parameters } from "../network/parameters.ts";
import type { Backend } from "../runtime/backend.ts";
import { writeFileAtomic } from "../runs/atomic.ts";
import { runLayout } from "../runs/run-folder.ts";
import type { ResolvedModel } from "../weights/hub-cache.ts";
import type { ModelSetup } from "./set-up.ts";

/** A model with its trained tensors, as it lies in memory. */
export interface TrainedModel {
  readonly setup: ModelSetup;
  readonly backend: Backend;
  readonly parameters: Parameters;
  readonly factors: Factors;
  readonly base: BaseWeights;
  readonly reference: ResolvedModel;
  /** The dtype that a tensor of the checkpoint is stored in. */
  readonly storedType: (name: string) => DType | undefined;
  /** Names of a classifier's labels, where they are known. */
  readonly labels?: readonly string[] | undefined;
}

type Choices = Experiment["method"];

/** Whether the experiment's methods all add to linear layers in a form that an adapter file has. */
export function hasAdapter(choices: Choices): boolean {
  return choices.every(({ type }) => {
    const row = rowNamed(methods, type);
    return row.kind === "linear" && row.mergesOnly === undefined;
  });
}

/** Writes the forms that the experiment asks for into the run folder; there is always one to go on with. */
export async function exportRun(
  experiment: Experiment,
  trained: TrainedModel,
  runFolder: string,
  emit: (event: EventBody) => void,
): Promise<void> {
  const { method, export: forms } = experiment;
  const adapter = hasAdapter(method);
  const merged = !adapter || forms.includes("merged");
  const script = forms.includes("script");
  const total = [adapter, merged, script].filter(Boolean).length;
  let done = 0;
  const progress = (): void => {
    emit({ type: "progress", phase: "exporting", done: done++, total });
  };
  progress();
  if (adapter) {
    await exportAdapter(method, trained, join(runFolder, runLayout.adapter));
    progress();
  }
  if (merged) {
    await exportMerged(trained, join(runFolder, runLayout.merged), (finding) => {
      emit({ type: "finding", finding });
    });
    progress();
  }
  if (script) {
    await exportScript(experiment, join(runFolder, runLayout.script));
    progress();
  }
}

/** Writes an adapter folder in peft's form. */
export async function exportAdapter(
  choices: Choices,
  { setup, backend, parameters, factors, base, reference }: TrainedModel,
  folder: string,
): Promise<void> {
  const { model, setups } = setup;
  await writePeftAdapter(
    { model, setups: [...setups.values()], choices, backend, parameters, factors, base, reference },
    folder,
  );
}

/** Writes the model with the update in its weights; `tell` hears what kind of weights those are. */
export async function exportMerged(
  trained: TrainedModel,
  folder: string,
  tell: (finding: Finding) => void,
): Promise<void> {
  const { setup, backend, parameters, factors, base, reference, storedType, labels } = trained;
  if (base.bytes.quantized > 0) tell(quantizedMerge);
  await writeMergedModel(
    {
      backend,
      model: setup.model,
      setups: [...setup.setups.values()],
      parameters,
      factors,
      base,
      baseFolder: reference.folder,
      storedType,
      labels,
    },
    folder,
  );
}

/** Writes the experiment as a Python script. */
export async function exportScript(experiment: Experiment, path: string): Promise<void> {
  await writeFileAtomic(path, pythonScript(experiment));
}

/** What a merged model of a quantized base is. */
const quantizedMerge: Finding = {
  code: "merged-from-quantized",
  severity: "warning",
  message:
    "The base was held in 4 bits: the merged weights are its dequantized values and the update, which is what was trained, but not the original weights.",
  remedy: "Merge the adapter into the original with `spectune merge` to compare the two.",
};
