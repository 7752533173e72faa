/** @file What a run leaves behind: its adapter or merged model, in the forms that the experiment asks for. */
import { join } from "node:path";
import type { DType } from "../../shared/dtypes.ts";
import { UserError } from "../../shared/errors.ts";
import type { Experiment } from "../../shared/experiment/fields/experiment-fields.ts";
import type { Finding } from "../../shared/findings.ts";
import type { EventBody } from "../../shared/protocol.ts";
import { isPlainPair, startForm } from "../catalog-list.ts";
import { initialisers, methods, rowNamed } from "../catalog.ts";
import type { TensorMethod } from "../methods/define.ts";
import { isPlaced } from "../methods/placed.ts";
import { moduleWithoutForm } from "../exports/adapter-sites.ts";
import { writeMergedModel } from "../exports/merged-model.ts";
import { writeOwnAdapter } from "../exports/own-adapter.ts";
import { writePeftAdapter } from "../exports/peft-adapter.ts";
import { writeNormsAdapter, writeRowsAdapter } from "../exports/own-tensors.ts";
import { writePromptAdapter } from "../exports/prompt-adapter.ts";
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

/** Whether there is an adapter file that holds the experiment's methods: peft's, or our own. */
export function hasAdapter(choices: Choices): boolean {
  return adapterForm(choices) !== undefined;
}

/** Why weights alone cannot hold the model that the methods make; undefined where they can. */
export function unmergeable(choices: readonly Pick<Choices[number], "type">[]): string | undefined {
  const apart = [...new Set(choices.map(({ type }) => type))].flatMap((type) => {
    const row = rowNamed(methods, type);
    return isPlaced(row) && row.staysApart !== undefined ? [`${row.name}: ${row.staysApart}`] : [];
  });
  return apart.length === 0 ? undefined : apart.join("; ");
}

/** The form of the adapter: one of peft's, or our own. */
type AdapterForm =
  | { readonly form: "modules" | "prompt" | "rows" | "own" }
  | { readonly form: "norms"; readonly row: TensorMethod };

function adapterForm(choices: Choices): AdapterForm | undefined {
  const rows = choices.map(({ type }) => rowNamed(methods, type));
  const [only] = rows.length === 1 ? rows : [];
  if (only?.kind === "tensors" && only.peft) return { form: "norms", row: only };
  if (!rows.some(isPlaced)) {
    const directed = rows.filter((row) => row.kind === "linear" && row.peft?.dora);
    // peft's LoRA has magnitudes at all of its modules or at none.
    if (directed.length > 0 && directed.length < rows.length) return undefined;
    return choices.every((choice) => fitsModules(choice, only !== undefined))
      ? { form: "modules" }
      : undefined;
  }
  if (!only || !isPlaced(only) || only.peftType === undefined) return { form: "own" };
  return { form: only.kind === "rows" ? "rows" : "prompt" };
}

/** Whether a file of peft can hold it: as a pair beside any others, else as the one kind of the adapter. */
function fitsModules(choice: Choices[number], alone: boolean): boolean {
  const row = rowNamed(methods, choice.type);
  if (row.kind !== "linear" || row.mergesOnly !== undefined) return false;
  if (row.bind(choice.config).hasPair || row.peft?.type === "LORA") return true;
  const { rank_pattern: ranks, alpha_pattern: alphas, bias } = choice;
  const { patterns = [] } = row.peft ?? {};
  const held =
    (Object.keys(ranks).length === 0 || patterns.includes("r")) &&
    (Object.keys(alphas).length === 0 || patterns.includes("alpha"));
  return alone && held && bias === "none";
}

/** Why no plain LoRA says what the methods trained; undefined where one does, exactly. */
export function withoutLora(choices: Choices): string | undefined {
  const other = choices
    .map(({ type, config }) => ({ row: rowNamed(methods, type), config }))
    .find(({ row, config }) => !isPlainPair(row, config))?.row;
  if (!other) return undefined;
  if (other.kind === "linear" && other.mergesOnly !== undefined)
    return `${other.title}: ${other.mergesOnly}`;
  return `${other.title} is no low-rank update of weights`;
}

/** What a plain LoRA does not keep of the run that it was made of, in sentences. */
export function lostInLora({
  method,
  quantization,
}: Pick<Experiment, "method" | "quantization">): readonly string[] {
  const rows = method.map(({ type }) => rowNamed(methods, type));
  const titles = new Set(rows.filter(({ name }) => name !== "lora").map(({ title }) => title));
  const starts = method.flatMap(({ init }) =>
    initialisers.filter(({ name }) => name === init.type),
  );
  const taken = [...rows, ...starts].some(({ axes }) => startForm(axes?.E) === "lora-2r");
  return [
    ...[...titles].map(
      (title) =>
        `The factors of ${title} are multiplied out: the adapter gives the same outputs, but can only train on as LoRA.`,
    ),
    ...(taken
      ? [
          "The start took a part off the weights: the adapter has twice the rank, against the original weights.",
        ]
      : []),
    ...(taken && quantization !== null
      ? [
          "The base was quantized after that part was taken off: on the original weights, or on their own quantization, outputs differ by the rounding.",
        ]
      : []),
  ];
}

/** Writes the forms that the experiment asks for into the run folder; there is always one to go on with. */
export async function exportRun(
  experiment: Experiment,
  trained: TrainedModel,
  runFolder: string,
  emit: (event: EventBody) => void,
): Promise<void> {
  const { method, export: forms } = experiment;
  const misfit = moduleWithoutForm([...trained.setup.setups.values()]);
  const adapter = hasAdapter(method) && misfit === undefined;
  if (misfit !== undefined) emit({ type: "finding", finding: leavesMerged(misfit) });
  const merged = !adapter || forms.includes("merged");
  const plain = forms.includes("lora");
  const script = forms.includes("script");
  const total = [adapter, plain, merged, script].filter(Boolean).length;
  let done = 0;
  const progress = (): void => {
    emit({ type: "progress", phase: "exporting", done: done++, total });
  };
  progress();
  if (adapter) {
    const folder = join(runFolder, runLayout.adapter);
    await exportAdapter(method, trained, folder, { seed: experiment.train.seed });
    progress();
  }
  if (plain) {
    await exportAdapter(method, trained, join(runFolder, runLayout.lora), { plain });
    for (const message of lostInLora(experiment))
      emit({ type: "finding", finding: { code: "lora-loses", severity: "info", message } });
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

/**
 * Writes an adapter folder: in peft's form where peft has one, else in our own, which keeps the experiment's seed for
 * factors that are drawn from it. `plain` asks for LoRA whatever the methods are.
 */
export async function exportAdapter(
  method: Choices,
  { setup, backend, parameters, factors, base, reference }: TrainedModel,
  folder: string,
  { seed = 0, plain = false }: { readonly seed?: number; readonly plain?: boolean } = {},
): Promise<void> {
  const { model } = setup;
  const setups = [...setup.setups.values()];
  const found = adapterForm(method);
  const sources = { model, setups, backend, parameters, factors, base, reference };
  if (found?.form === "norms") await writeNormsAdapter(sources, found.row, folder);
  else if (found?.form === "rows") await writeRowsAdapter(sources, folder);
  else if (found?.form === "own")
    await writeOwnAdapter(
      { task: model.task, method, seed, reference, parameters, factors },
      folder,
    );
  else if (found?.form === "prompt") await writePromptAdapter(sources, folder);
  else await writePeftAdapter({ ...sources, choices: method, plain }, folder);
}

/** Writes the model with the update in its weights; `tell` hears what kind of weights those are. */
export async function exportMerged(
  trained: TrainedModel,
  folder: string,
  tell: (finding: Finding) => void,
): Promise<void> {
  const { setup, backend, parameters, factors, base, reference, storedType, labels } = trained;
  refuseApart(setup);
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

/** Weights alone cannot hold what stands beside them. */
function refuseApart({ setups }: ModelSetup): void {
  const names = [...setups.values()].flatMap(({ places }) =>
    [...(places?.values() ?? [])].map(({ method }) => method.name),
  );
  const why = unmergeable(names.map((type) => ({ type })));
  if (why === undefined) return;
  throw new UserError({
    code: "no-merged-form",
    message: `No merged model can hold the method (${why}).`,
    remedy: "Export the adapter: `spectune export RUN --as peft`.",
  });
}

/** Writes the experiment as a Python script. */
export async function exportScript(experiment: Experiment, path: string): Promise<void> {
  await writeFileAtomic(path, pythonScript(experiment));
}

function leavesMerged(module: string): Finding {
  return {
    code: "leaves-merged",
    severity: "warning",
    message: `peft has no adapter of this kind at ${module}, by the sizes of that layer: the run leaves a merged model.`,
  };
}

/** What a merged model of a quantized base is. */
const quantizedMerge: Finding = {
  code: "merged-from-quantized",
  severity: "warning",
  message:
    "The base was held in 4 bits: the merged weights are its dequantized values and the update, which is what was trained, but not the original weights.",
  remedy: "Merge the adapter into the original with `spectune merge` to compare the two.",
};
