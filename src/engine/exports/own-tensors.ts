/** @file Adapters that hold tensors of the model itself as peft loads them: LN_TUNING and TRAINABLE_TOKENS. */
import { invariant } from "../../shared/errors.ts";
import type { TensorMethod } from "../methods/define.ts";
import type { BoundRows } from "../methods/rows.ts";
import type { Model, TensorSpec } from "../models/architecture.ts";
import { wordModules } from "../models/word-table.ts";
import { moduleOf, lastPart } from "../models/module-names.ts";
import type { BlockSetup } from "../programs/setup.ts";
import type { ResolvedModel } from "../weights/hub-cache.ts";
import { peftVersion } from "./lora-config.ts";
import { writeAdapterFolder } from "./peft-adapter.ts";
import { modulePrefix, modulesOf, targetNames } from "./peft-names.ts";
import type { ValueSources } from "./tensor-values.ts";
import { floatTensor, ownTensor } from "./tensor-values.ts";

export interface OwnTensorParts extends ValueSources {
  readonly model: Model;
  readonly setups: readonly BlockSetup[];
  readonly reference: ResolvedModel;
}

/** Norms, each in a module of its own that peft puts into the norm. */
export async function writeNormsAdapter(
  parts: OwnTensorParts,
  method: TensorMethod,
  folder: string,
): Promise<void> {
  const { peft } = method;
  invariant(peft, `peft has no form of ${method.name}`);
  const all = trainedTensors(parts);
  const own = all.filter((tensor) => method.selects(tensor));
  const named = ({ source }: TensorSpec): string =>
    `${moduleOf(source)}.${peft.part}.${lastPart(source)}`;
  const tensors = all.map((tensor) => {
    const name = own.includes(tensor) ? named(tensor) : tensor.source;
    return ownTensor(parts, tensor, `${modulePrefix}${name}`);
  });
  const targets = [...new Set(own.map(({ source }) => moduleOf(source)))];
  const sources = parts.setups.flatMap(({ spec }) => spec.tensors.map(({ source }) => source));
  await writeAdapterFolder(folder, {
    config: {
      ...commonFields(parts, peft.type),
      exclude_modules: null,
      target_modules: targetNames(targets, modulesOf(sources), []),
    },
    tensors,
  });
}

/** Rows of the table of words; a tied head has them too. */
export async function writeRowsAdapter(parts: OwnTensorParts, folder: string): Promise<void> {
  const method = rowsMethod(parts.setups);
  const { shape, weight } = parts.parameters.get("shared#rows");
  const tables = wordModules(parts.model);
  const rows = tables.map((module) => floatTensor(rowsTensor(module), shape, () => weight));
  const heads = trainedTensors(parts).map((tensor) =>
    ownTensor(parts, tensor, `${modulePrefix}${tensor.source}`),
  );
  await writeAdapterFolder(folder, {
    config: {
      ...commonFields(parts, "TRAINABLE_TOKENS"),
      ...method.peft?.fields,
      target_modules: tables[0],
    },
    tensors: [...rows, ...heads],
  });
}

function rowsMethod(setups: readonly BlockSetup[]): BoundRows {
  const method = setups.flatMap(({ places }) => [...(places?.values() ?? [])])[0]?.method;
  invariant(method?.kind === "rows", "no rows of a table train");
  return method;
}

/** Name of the rows that replace a table's. */
export function rowsTensor(module: string): string {
  return `${modulePrefix}${module}.trainable_tokens_delta`;
}

/** Tensors of the model that train as they are. */
function trainedTensors({ setups }: OwnTensorParts): readonly TensorSpec[] {
  return setups.flatMap(({ spec, trained }) =>
    spec.tensors.filter(({ name }) => trained.has(name)),
  );
}

function commonFields(
  { model, reference }: OwnTensorParts,
  type: string,
): Readonly<Record<string, unknown>> {
  const { hubId, folder, snapshot, revision } = reference;
  return {
    auto_mapping: null,
    base_model_name_or_path: hubId ?? folder,
    inference_mode: true,
    modules_to_save: model.headModule === undefined ? null : [model.headModule],
    peft_type: type,
    peft_version: peftVersion,
    revision: hubId === undefined ? null : (snapshot ?? revision ?? null),
    task_type: model.task === "causal-lm" ? "CAUSAL_LM" : "SEQ_CLS",
  };
}
