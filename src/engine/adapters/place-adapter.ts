/** @file Finds an adapter's places in a model, by peft's own rules: what each of its tensors is, and how the model is set up for it. */
import type { Shape } from "../../shared/dtypes.ts";
import type { MethodChoice } from "../../shared/experiment/fields/experiment-fields.ts";
import type { Checked, Finding } from "../../shared/findings.ts";
import { modulePrefix, modulesOf, savedModules } from "../exports/peft-names.ts";
import { storedShape } from "../exports/tensor-values.ts";
import type { Packing } from "../methods/packing.ts";
import type { FullMatch } from "../methods/targets.ts";
import { patternValue, targetSites } from "../methods/targets.ts";
import type { BlockSpec, LinearSpec, Model, TensorSpec } from "../models/architecture.ts";
import { moduleOf } from "../models/module-names.ts";
import type { LoraAdapterConfig } from "./lora-config.ts";

/** A tensor of the adapter that becomes a trained tensor of the model. */
export interface PlacedTensor {
  /** Its name in the file. */
  readonly name: string;
  /** Its shape in the file. */
  readonly shape: Shape;
  /** The trained tensor: `module#A`, or the name of a tensor of the model. */
  readonly parameter: string;
  /** The model's own tensor that it replaces. */
  readonly replaces?: TensorSpec;
  /** The columns of the file's tensor that it is, where it is a part of it. */
  readonly columns?: { readonly from: number; readonly count: number };
  /** What the file holds in its place, under its name and a suffix each. */
  readonly packing?: Packing;
}

/** The tensors of the file that it is read from. */
export function filesOf({
  name,
  shape,
  packing,
}: Pick<PlacedTensor, "name" | "shape" | "packing">): readonly {
  readonly name: string;
  readonly shape: Shape;
}[] {
  if (packing === undefined) return [{ name, shape }];
  return packing.parts.map((part) => ({ name: `${name}${part.suffix}`, shape: part.shape }));
}

/** Factors at an embedding table: row v of it becomes W_v + scale (B A)ᵀ_v. */
export interface PlacedEmbedding {
  readonly table: TensorSpec;
  /** A [r, rows] and B [width, r]. */
  readonly A: { readonly name: string; readonly shape: Shape };
  readonly B: { readonly name: string; readonly shape: Shape };
  readonly scale: number;
}

export interface PlacedAdapter {
  /** For `setUpModel`; tied matrices that the adapter makes differ stand in `modules_to_save`. */
  readonly choice: MethodChoice;
  readonly tensors: readonly PlacedTensor[];
  readonly embeddings: readonly PlacedEmbedding[];
  /** Frozen matrices that peft saves beside the factors of an embedding or a head; they must be the base's. */
  readonly copies: readonly { readonly name: string; readonly of: TensorSpec }[];
}

/** With biases trained, peft saves those of whole modules two times more, under names with these parts. */
const copyParts = [".original_module.", ".modules_to_save."];

/** Where a configuration's adapter goes. `names` are the tensors of its file. */
export function placeAdapter(
  config: LoraAdapterConfig,
  names: ReadonlySet<string>,
  model: Model,
  fullMatch: FullMatch,
): Checked<PlacedAdapter> {
  const findings: Finding[] = [];
  const tensors = model.blocks.flatMap((block) => block.tensors);
  const tables = embeddingTables(model);
  const targets = targetSites(
    withTables(model, tables),
    { ...config, target_modules: matchingNames(config.target_modules, model, tables) },
    fullMatch,
  );
  findings.push(...targets.findings);
  const linears = targets.sites.filter(({ module }) => !tables.has(module));
  const embeddings = targets.sites.flatMap((site) => {
    const table = tables.get(site.module);
    return table ? [placeEmbedding(site, table, config, fullMatch)] : [];
  });
  const adapted = new Set(linears.map(({ module }) => module));
  const saved = savedTensors(model, tensors, config);
  const placed = [
    ...linears.flatMap((site) => factors(site, config, fullMatch)),
    ...saved,
    ...biases(tensors, adapted, config, names).filter(
      ({ parameter }) => !saved.some((tensor) => tensor.parameter === parameter),
    ),
  ];
  const copies = copiesOf(model, tensors, names);
  const known = new Set([
    ...placed.map(({ name }) => name),
    ...embeddings.flatMap(({ A, B }) => [A.name, B.name]),
    ...copies.map(({ name }) => name),
  ]);
  const unknown = [...names].filter(
    (name) => !known.has(name) && !copyParts.some((part) => name.includes(part)),
  );
  if (unknown.length > 0 && findings.length === 0) findings.push(unexpected(unknown));
  return {
    value: {
      choice: choiceOf(config, adapted, saved, embeddings),
      tensors: placed,
      embeddings,
      copies,
    },
    findings,
  };
}

/** The method that the adapter was trained with, at exactly its modules. */
function choiceOf(
  config: LoraAdapterConfig,
  adapted: ReadonlySet<string>,
  saved: readonly PlacedTensor[],
  embeddings: readonly PlacedEmbedding[],
): MethodChoice {
  const { r, alpha, use_rslora, rank_pattern, alpha_pattern, dropout, bias } = config;
  const whole = [
    ...saved.map(({ parameter }) => parameter),
    ...embeddings.map(({ table }) => table.source),
  ];
  return {
    type: config.use_dora ? "dora" : "lora",
    config: { r, alpha, use_rslora },
    target_modules: [...adapted],
    exclude_modules: null,
    layers_to_transform: null,
    layers_pattern: null,
    rank_pattern,
    alpha_pattern,
    dropout,
    bias,
    modules_to_save: [...new Set(whole.map(moduleOf))],
    init: { type: "default", config: {} },
    from: null,
    allocation: null,
    sharing: null,
  };
}

/** Embedding tables by the name of their module. */
function embeddingTables(model: Model): ReadonlyMap<string, TensorSpec> {
  return new Map(
    model.blocks
      .flatMap((block) => block.tensors)
      .filter(({ role }) => role === "embedding")
      .map((tensor) => [moduleOf(tensor.source), tensor]),
  );
}

/** The model with its tables as sites, which `all-linear` passes over. */
function withTables(model: Model, tables: ReadonlyMap<string, TensorSpec>): Model {
  const linears = [...tables].map(
    ([
      module,
      {
        shape: [rows = 0, width = 0],
      },
    ]): LinearSpec => {
      return { name: module, module, in: rows, out: width, bias: false, head: true };
    },
  );
  const block: BlockSpec = { kind: "embedding", id: "tables", tensors: [], linears };
  return { ...model, blocks: [block, ...model.blocks] };
}

/** peft passes over names that match nothing as long as one does. */
function matchingNames(
  targets: LoraAdapterConfig["target_modules"],
  model: Model,
  tables: ReadonlyMap<string, TensorSpec>,
): string | readonly string[] {
  if (typeof targets === "string") return targets;
  const modules = [
    ...model.blocks.flatMap(({ linears }) => linears.map(({ module }) => module)),
    ...tables.keys(),
  ];
  const matching = targets.filter((name) =>
    modules.some((module) => `.${module}`.endsWith(`.${name}`)),
  );
  return matching.length > 0 ? matching : targets;
}

function factors(
  { module, in: width, out }: LinearSpec,
  config: LoraAdapterConfig,
  fullMatch: FullMatch,
): readonly PlacedTensor[] {
  const r = patternValue(config.rank_pattern, module, fullMatch) ?? config.r;
  const factor = (suffix: string, shape: Shape, param: string): PlacedTensor => ({
    name: `${modulePrefix}${module}.${suffix}`,
    shape,
    parameter: `${module}#${param}`,
  });
  return [
    factor("lora_A.weight", [r, width], "A"),
    factor("lora_B.weight", [out, r], "B"),
    ...(config.use_dora ? [factor("lora_magnitude_vector", [out], "m")] : []),
  ];
}

function placeEmbedding(
  { module, in: rows, out: width }: LinearSpec,
  table: TensorSpec,
  config: LoraAdapterConfig,
  fullMatch: FullMatch,
): PlacedEmbedding {
  const r = patternValue(config.rank_pattern, module, fullMatch) ?? config.r;
  const alpha = patternValue(config.alpha_pattern, module, fullMatch) ?? config.alpha;
  return {
    table,
    A: { name: `${modulePrefix}${module}.lora_embedding_A`, shape: [r, rows] },
    B: { name: `${modulePrefix}${module}.lora_embedding_B`, shape: [width, r] },
    scale: alpha / (config.use_rslora ? Math.sqrt(r) : r),
  };
}

/** Tensors of modules that were trained whole; a classifier's head is one whether it is named or not. */
function savedTensors(
  model: Model,
  tensors: readonly TensorSpec[],
  config: LoraAdapterConfig,
): readonly PlacedTensor[] {
  const isClassifier = config.task === "sequence-classification" && model.headModule !== undefined;
  const names = [...config.modules_to_save, ...(isClassifier ? [model.headModule] : [])];
  const own = new Map(tensors.map((tensor) => [ownName(model, tensor), tensor]));
  const saved = savedModules(names, modulesOf(own.keys()));
  return [...own].flatMap(([source, tensor]) =>
    saved.some((module) => source.startsWith(`${module}.`))
      ? [placeOwn(source, source, tensor)]
      : [],
  );
}

/** Biases that the file brings; peft too leaves the others as the base has them. */
function biases(
  tensors: readonly TensorSpec[],
  adapted: ReadonlySet<string>,
  { bias }: LoraAdapterConfig,
  names: ReadonlySet<string>,
): readonly PlacedTensor[] {
  if (bias === "none") return [];
  return tensors.flatMap((tensor) => {
    const module = moduleOf(tensor.source);
    if (tensor.role !== "bias" || (bias === "lora_only" && !adapted.has(module))) return [];
    const wrapped = `${module}.base_layer.bias`;
    const name = names.has(`${modulePrefix}${wrapped}`) ? wrapped : tensor.source;
    return names.has(`${modulePrefix}${name}`) ? [placeOwn(name, tensor.source, tensor)] : [];
  });
}

function placeOwn(name: string, parameter: string, tensor: TensorSpec): PlacedTensor {
  return {
    name: `${modulePrefix}${name}`,
    shape: storedShape(tensor),
    parameter,
    replaces: tensor,
  };
}

function copiesOf(
  model: Model,
  tensors: readonly TensorSpec[],
  names: ReadonlySet<string>,
): PlacedAdapter["copies"] {
  return tensors.flatMap((tensor) => {
    const name = `${modulePrefix}${moduleOf(ownName(model, tensor))}.base_layer.weight`;
    return tensor.role !== "bias" && names.has(name) ? [{ name, of: tensor }] : [];
  });
}

/** A tensor's name by its own module, also where it is tied: `lm_head.weight`. */
function ownName({ blocks }: Model, { name, source }: TensorSpec): string {
  for (const { tensors, linears } of blocks) {
    if (!tensors.some((tensor) => tensor.name === name && tensor.source === source)) continue;
    const linear = linears.find((site) => `${site.name}.weight` === name);
    if (linear) return `${linear.module}.weight`;
  }
  return source;
}

function unexpected(unknown: readonly string[]): Finding {
  const shown = unknown.slice(0, 3).join(", ");
  return {
    code: "adapter-tensor-without-place",
    severity: "error",
    message: `The adapter holds ${shown}${unknown.length > 3 ? ` and ${unknown.length - 3} more tensors` : ""}, for which its configuration and the model have no place.`,
    remedy:
      "Check that the adapter was made for this model, and that its two files belong together.",
  };
}
