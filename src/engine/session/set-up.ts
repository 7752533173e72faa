/** @file Turns a model and the experiment's choices into block setups: what is held how, what trains, which method acts where. */
import type { DType } from "../../shared/dtypes.ts";
import { elementCount } from "../../shared/dtypes.ts";
import type { Experiment } from "../../shared/experiment/fields/experiment-fields.ts";
import type { Checked, Finding } from "../../shared/findings.ts";
import { sum } from "../../shared/sums.ts";
import { methods, optimizers, rowNamed } from "../catalog.ts";
import type { FullMatch } from "../methods/targets.ts";
import { allTensors } from "../models/all-tensors.ts";
import type { Model, TensorSpec } from "../models/architecture.ts";
import { tiedHead, untied, untiedName } from "../models/untie.ts";
import type { BlockSetup, SiteMethod, Storage } from "../programs/setup.ts";
import { groupName, isPacked, storageOf as storageIn } from "../programs/setup.ts";
import { methodSites } from "./method-sites.ts";
import { placeMethods, withRoomFor } from "./place-methods.ts";
import { unequalShapes } from "./site-choices.ts";
import type { PackedAs } from "../weights/safetensors.ts";
import { alreadyQuantized, packedStorage } from "./packed-storage.ts";
import { doesNotFit, storageWhenRead } from "./quantized-when-read.ts";
import { storedName, storedTensor } from "../models/stored-tensor.ts";
import { within } from "../models/module-names.ts";
import type { FrozenSpec, TrainedSpec } from "./trained-specs.ts";
import { frozenSpecs, trainedSpecs } from "./trained-specs.ts";

export interface ModelSetup {
  readonly model: Model;
  readonly setups: ReadonlyMap<string, BlockSetup>;
  /** In a fixed order, tied ones once. */
  readonly trained: readonly TrainedSpec[];
  /** Frozen factors of methods, shared ones once. */
  readonly factors: readonly FrozenSpec[];
  readonly trainableParameters: number;
  /** Of the model with what the method adds. */
  readonly totalParameters: number;
}

/** What the checkpoint says about a tensor; missing where a head is newly made. */
export type StoredTypes = ReadonlyMap<
  string,
  { readonly dtype?: DType | undefined; readonly packed?: PackedAs }
>;

export type SetupFields = Pick<Experiment, "method" | "quantization">;

export function setUpModel(
  opened: Model,
  experiment: SetupFields,
  stored: StoredTypes,
  fullMatch: FullMatch,
  allocation: ReadonlyMap<string, number> = new Map(),
): Checked<ModelSetup> {
  const places = placeMethods(opened, experiment.method);
  const model = withRoomFor(withSavedApart(opened, experiment), places.value);
  const findings: Finding[] = [...places.findings];
  const sites = new Map<string, SiteMethod>();
  const trainedSources = new Set<string>();
  for (const [index, choice] of experiment.method.entries()) {
    const method = rowNamed(methods, choice.type);
    if (method.kind === "tensors") {
      for (const tensor of allTensors(model))
        if (method.selects(tensor)) trainedSources.add(tensor.source);
      continue;
    }
    if (method.kind !== "linear") continue;
    const group = groupName(index);
    const { value: adapted, findings: ofSites } = methodSites(model, method, choice, {
      group,
      fullMatch,
      allocation,
      taken: sites,
    });
    for (const [module, site] of adapted.sites) sites.set(module, site);
    for (const source of adapted.whole) trainedSources.add(source);
    findings.push(...ofSites);
  }
  // A head trains whole, as in peft; so does what the checkpoint lacks.
  for (const tensor of allTensors(model)) {
    const { source, fresh } = tensor;
    const ofHead = model.headModule !== undefined && within(source, model.headModule);
    if (ofHead || (fresh !== undefined && storedName(model, stored, tensor) === undefined))
      trainedSources.add(source);
  }
  // What starts anew is saved whole, so that an update beside it would have no meaning.
  for (const { module } of model.blocks.flatMap(({ linears }) => linears))
    if (startsAnew(model, stored, module)) sites.delete(module);
  const quantized = quantizedSources(model, experiment, trainedSources, stored);
  findings.push(...quantized.findings);

  const setups = new Map(
    model.blocks.map((spec): [string, BlockSetup] => [
      spec.id,
      {
        spec,
        trained: new Set(
          spec.tensors.filter(({ source }) => trainedSources.has(source)).map(({ name }) => name),
        ),
        storage: new Map(
          spec.tensors.flatMap((tensor) =>
            storageOf(model, tensor, stored, trainedSources, quantized.storage),
          ),
        ),
        sites: new Map(
          spec.linears.flatMap(({ name, module }) => {
            const site = sites.get(module);
            return site ? [[name, site] as const] : [];
          }),
        ),
        places: places.value.get(spec.id) ?? new Map(),
      },
    ]),
  );
  findings.push(...unequalShapes([...setups.values()]));
  const trained = trainedSpecs(model, [...setups.values()]);
  const factors = frozenSpecs([...setups.values()]);
  const trainableParameters = sum(
    trained.map(({ shape, gauge }) => (gauge ? 0 : elementCount(shape))),
  );
  const added =
    sum(trained.map(({ shape, start }) => ("init" in start ? elementCount(shape) : 0))) +
    sum(factors.map(({ shape }) => elementCount(shape)));
  const own = new Map(allTensors(model).map(({ source, shape }) => [source, elementCount(shape)]));
  const totalParameters = sum([...own.values()]) + added;
  return {
    value: { model, setups, trained, factors, trainableParameters, totalParameters },
    findings,
  };
}

/**
 * The setup on a device. WebGPU has no 16-bit weights to cast: there they are widened when they are loaded, and
 * cross in float32, once.
 */
export function heldOn(setup: ModelSetup, device: string): ModelSetup {
  if (device !== "webgpu") return setup;
  const stays = ([, { type }]: readonly [string, Storage]): boolean =>
    type !== "float16" && type !== "bfloat16";
  const setups = [...setup.setups].map(([id, block]): [string, BlockSetup] => [
    id,
    { ...block, storage: new Map([...block.storage].filter(stays)) },
  ]);
  return { ...setup, setups: new Map(setups) };
}

/** The setup of a run that trains on the processor: weights that are not quantized carry the columns that methods train in them. */
export function carriedOn(
  setup: ModelSetup,
  device: string,
  { optimizer }: Pick<Experiment["train"], "optimizer">,
): ModelSetup {
  const rule = rowNamed(optimizers, optimizer.type).bind(optimizer.config);
  // What moves weights between two passes of a step moves the trained tensors alone.
  if (device !== "cpu" || rule.gradients !== "kept" || rule.noise) return setup;
  const readers = new Map<string, number>();
  for (const { source } of allTensors(setup.model))
    readers.set(source, (readers.get(source) ?? 0) + 1);
  const setups = [...setup.setups].map(([id, block]): [string, BlockSetup] => {
    const carries = ([name, { method, dropout }]: readonly [string, SiteMethod]): boolean => {
      const weight = block.spec.tensors.find((tensor) => tensor.name === `${name}.weight`);
      return (
        method.columns !== undefined &&
        dropout === 0 &&
        weight !== undefined &&
        readers.get(weight.source) === 1 &&
        !isPacked(storageIn(block, weight.name)) &&
        !block.trained.has(weight.name)
      );
    };
    const sites = [...block.sites].map(
      (entry) => [entry[0], carries(entry) ? { ...entry[1], carried: true } : entry[1]] as const,
    );
    return [id, { ...block, sites: new Map(sites) }];
  });
  return { ...setup, setups: new Map(setups) };
}

function startsAnew(model: Model, stored: StoredTypes, module: string): boolean {
  const weight = allTensors(model).find(({ source }) => source === `${module}.weight`);
  return weight?.fresh !== undefined && storedName(model, stored, weight) === undefined;
}

/** As in peft, a head or an embedding that is trained whole is no longer tied to the other. */
function withSavedApart(model: Model, { method }: SetupFields): Model {
  const head = tiedHead(model);
  if (!head) return model;
  const names = [untiedName(model, head), head.source];
  const saved = method.flatMap(({ type, modules_to_save }) =>
    rowNamed(methods, type).kind === "linear" ? modules_to_save : [],
  );
  return saved.some((module) => names.some((name) => within(name, module))) ? untied(model) : model;
}

function quantizedSources(
  model: Model,
  experiment: SetupFields,
  trained: ReadonlySet<string>,
  stored: StoredTypes,
): { readonly storage: ReadonlyMap<string, Storage>; readonly findings: readonly Finding[] } {
  const choice = experiment.quantization;
  if (choice === null) return { storage: new Map(), findings: [] };
  const packed = [...stored].find(([, { packed: already }]) => already !== undefined)?.[0];
  if (packed !== undefined)
    return { storage: new Map(), findings: [alreadyQuantized(choice.type, packed)] };
  const storageBy = storageWhenRead(choice);
  if (typeof storageBy !== "function") return { storage: new Map(), findings: [storageBy] };
  // What an embedding table shares its memory with stays as it is.
  const tables = new Set(
    allTensors(model).flatMap(({ role, source }) => (role === "embedding" ? [source] : [])),
  );
  const sources = allTensors(model).filter(
    ({ role, name, source }) =>
      role === "linear" &&
      name.endsWith(".weight") &&
      !tables.has(source) &&
      !trained.has(source) &&
      !choice.skip_modules.some((module) => within(source, module)),
  );
  const findings: Finding[] =
    sources.length > 0
      ? []
      : [
          {
            code: "nothing-quantized",
            severity: "error",
            message: `quantization: ${choice.type} finds no frozen weight to quantize.`,
            remedy:
              "Full fine-tuning trains every weight; leave quantization out, or choose a method that keeps the base frozen.",
          },
        ];
  const storage = new Map<string, Storage>();
  for (const { source, shape } of sources) {
    const [rows = 1, columns = 1] = shape;
    const held = storageBy({ rows, columns });
    if (typeof held !== "string") storage.set(source, held);
    else if (findings.length === 0) findings.push(doesNotFit(choice.type, source, held));
  }
  return { storage, findings };
}

function storageOf(
  model: Model,
  tensor: TensorSpec,
  stored: StoredTypes,
  trained: ReadonlySet<string>,
  quantized: ReadonlyMap<string, Storage>,
): readonly (readonly [string, Storage])[] {
  const { name, source, role } = tensor;
  if (trained.has(source)) return [];
  const storage = quantized.get(source);
  if (storage) return [[name, storage]];
  const info = storedTensor(model, stored, tensor);
  if (info?.packed) return [[name, packedStorage(info.packed)]];
  const dtype = info?.dtype;
  const large = role === "linear" || role === "embedding";
  return large && (dtype === "float16" || dtype === "bfloat16") ? [[name, { type: dtype }]] : [];
}
