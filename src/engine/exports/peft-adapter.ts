/** @file An adapter folder that peft loads: adapter_config.json and adapter_model.safetensors, whole or not at all. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { UserError, at } from "../../shared/errors.ts";
import type { MethodChoice } from "../../shared/experiment/fields/experiment-fields.ts";
import type { Values } from "../../shared/schema.ts";
import type { LinearSpec, Model, TensorSpec } from "../models/architecture.ts";
import { moduleOf } from "../models/module-names.ts";
import type { BlockSetup } from "../programs/setup.ts";
import { writeFolderAtomic } from "../runs/atomic.ts";
import type { ResolvedModel } from "../weights/hub-cache.ts";
import type { TensorToWrite } from "../weights/write-safetensors.ts";
import { writeSafetensors } from "../weights/write-safetensors.ts";
import type { LoraFacts } from "./lora-config.ts";
import { loraConfig, otherConfig } from "./lora-config.ts";
import {
  modulePrefix,
  modulesOf,
  mostCommon,
  patternOf,
  savedModules,
  savedNames,
  targetNames,
} from "./peft-names.ts";
import type { AdaptedSite, AdapterSources, SiteForm } from "./adapter-sites.ts";
import { adaptedSites, siteForm } from "./adapter-sites.ts";
import { ownTensor } from "./tensor-values.ts";

export interface AdapterParts extends AdapterSources {
  readonly model: Model;
  readonly setups: readonly BlockSetup[];
  /** The experiment's methods, all of them at linear sites. */
  readonly choices: readonly Pick<MethodChoice, "bias" | "dropout" | "modules_to_save">[];
  /** The base: its hub id is written where it is known, else its folder. */
  readonly reference: ResolvedModel;
  /** Plain LoRA whatever the methods are; the best form where not given. */
  readonly plain?: boolean;
}

/** Names of the files in an adapter's folder. */
export const adapterFiles = {
  config: "adapter_config.json",
  weights: "adapter_model.safetensors",
} as const;

/** Writes the adapter into `folder`, replacing one that is there. Tensors are float32, as they were trained. */
export async function writePeftAdapter(parts: AdapterParts, folder: string): Promise<void> {
  await writeAdapterFolder(folder, describeAdapter(parts));
}

/** Configuration and tensors of an adapter under peft's names. */
export interface DescribedAdapter {
  readonly config: Readonly<Record<string, unknown>>;
  readonly tensors: readonly TensorToWrite[];
}

export async function writeAdapterFolder(folder: string, adapter: DescribedAdapter): Promise<void> {
  await writeFolderAtomic(folder, async (temporary) => {
    const config = `${JSON.stringify(adapter.config, null, 2)}\n`;
    await writeFile(join(temporary, adapterFiles.config), config);
    await writeSafetensors(join(temporary, adapterFiles.weights), adapter.tensors, {
      format: "pt",
    });
  });
}

function describeAdapter(parts: AdapterParts): DescribedAdapter {
  const sites = adaptedSites(parts.setups);
  const forms = formsOf(parts, sites);
  const form = onlyForm(forms);
  const own = new Map(
    parts.setups.flatMap(({ spec }) => spec.tensors.map((tensor) => [tensor.source, tensor])),
  );
  const modules = modulesOf([
    ...own.keys(),
    ...parts.model.blocks.flatMap(({ linears }) => linears.map(({ module }) => `${module}.weight`)),
  ]);
  const bias = biasOf(parts.choices);
  const adapted = new Set(sites.map(({ linear }) => linear.module));
  const modulesToSave = namesToSave(parts, modules, bias, adapted);
  const saved = new Set(savedModules(modulesToSave, modules));

  const tensors = [...forms.flatMap((form) => form.tensors), ...(form?.shared ?? [])];
  for (const [source, tensor] of own) {
    const module = moduleOf(source);
    const isSaved = [...saved].some((name) => module === name || module.startsWith(`${name}.`));
    if (!isSaved && !isSavedBias(tensor, bias, adapted)) continue;
    const name = adapted.has(module) ? `${module}.base_layer.bias` : source;
    tensors.push(ownTensor(parts, tensor, `${modulePrefix}${name}`));
  }
  const { hubId, folder, snapshot, revision } = parts.reference;
  const facts: LoraFacts = {
    sites: new Map(sites.map(({ linear }, index) => [linear.module, at(forms, index).config])),
    dora: form?.dora === true,
    targetModules: targetNames([...adapted], modules, modulesToSave),
    modulesToSave,
    bias,
    dropout: Math.max(0, ...parts.choices.map(({ dropout }) => dropout)),
    task: parts.model.task,
    fanInFanOut: sites.some(({ setup, linear }) => isTransposed(setup, linear)),
    baseModel: hubId ?? folder,
    revision: hubId === undefined ? null : (snapshot ?? revision ?? null),
  };
  if (form === undefined || form.type === "LORA") return { config: loraConfig(facts), tensors };
  const { config, patterns } = patterned(form, facts.sites);
  const { targetModules: targets, fanInFanOut } = facts;
  const fields = sites[0]?.row.peft?.fields?.(config, { targets, fanInFanOut });
  return { config: otherConfig(form.type, facts, { ...fields, ...patterns }), tensors };
}

/** Each module in its method's own form where that makes one adapter, else as a plain pair. */
function formsOf(parts: AdapterParts, sites: readonly AdaptedSite[]): readonly SiteForm[] {
  const plain = (): readonly SiteForm[] =>
    sites.map((site) => siteForm(parts, site, modulePrefix, "plain"));
  if (parts.plain === true) return plain();
  const own = sites.map((site) => siteForm(parts, site, modulePrefix, "own"));
  const others = own.some(({ type }) => type !== "LORA");
  const isOne = new Set(own.map((form) => `${form.type} ${configKey(form)}`)).size < 2;
  // Biases that train have a place in LoRA's files alone.
  const fits = isOne && biasOf(parts.choices) === "none";
  return others && !fits && sites.every(({ row, site }) => site.method.hasPair || row.peft?.dora)
    ? plain()
    : own;
}

/** The one kind of an adapter's modules; peft has no adapter of several, nor of ranks that differ but for LoRA. */
function onlyForm(forms: readonly SiteForm[]): SiteForm | undefined {
  const kinds = [...new Set(forms.map(({ type, dora }) => (dora ? "DoRA" : type)))];
  const [first] = forms;
  if (kinds.length < 2 && (first?.type === "LORA" || new Set(forms.map(configKey)).size < 2))
    return first;
  throw new UserError({
    code: "no-peft-form",
    message: `peft has no single adapter for ${kinds.length > 1 ? kinds.join(" with ") : `${kinds.join()} of modules whose fields differ`}.`,
    remedy: "Export the merged model: `export: [merged]`.",
  });
}

/** What is the same at all modules of an adapter. */
function configKey({ config, patterns }: SiteForm): string {
  const varied: readonly string[] = patterns;
  return JSON.stringify(Object.entries(config).filter(([name]) => !varied.includes(name)));
}

/** The fields that modules differ in, as most have them, and the patterns for the others. */
function patterned(
  { config, patterns }: SiteForm,
  sites: LoraFacts["sites"],
): { readonly config: Values; readonly patterns: Readonly<Record<string, unknown>> } {
  const made: Record<string, unknown> = {};
  const common: Record<string, number> = {};
  for (const field of patterns) {
    const values = new Map(
      [...sites].map(([module, { [field]: value }]) => [module, Number(value)] as const),
    );
    const most = mostCommon([...values.values()]) ?? 0;
    common[field] = most;
    made[field === "r" ? "rank_pattern" : "alpha_pattern"] = patternOf(values, most);
  }
  return { config: { ...config, ...common }, patterns: made };
}

/** Names in `modules_to_save` that cover every tensor of the model that trains and is no saved bias. */
function namesToSave(
  { model, setups, choices }: AdapterParts,
  modules: readonly string[],
  bias: LoraFacts["bias"],
  adapted: ReadonlySet<string>,
): readonly string[] {
  const asked = choices.flatMap(({ modules_to_save: names }) => names);
  const head = model.headModule === undefined ? [] : [model.headModule];
  const names = savedNames([...asked, ...head], modules);
  const rest = setups.flatMap(({ spec, trained }) =>
    spec.tensors.filter(
      (tensor) =>
        trained.has(tensor.name) &&
        !isSavedBias(tensor, bias, adapted) &&
        !names.some((name) => `.${tensor.source}`.includes(`.${name}.`)),
    ),
  );
  return [...new Set([...names, ...rest.map(({ source }) => moduleOf(source))])].toSorted();
}

function biasOf(choices: AdapterParts["choices"]): LoraFacts["bias"] {
  const asked = choices.map(({ bias }) => bias);
  return asked.includes("all") ? "all" : asked.includes("lora_only") ? "lora_only" : "none";
}

/** Whether peft saves the tensor because of `bias`. */
function isSavedBias(
  { role, source }: TensorSpec,
  bias: LoraFacts["bias"],
  adapted: ReadonlySet<string>,
): boolean {
  if (role !== "bias") return false;
  return bias === "all" || (bias === "lora_only" && adapted.has(moduleOf(source)));
}

function isTransposed({ spec }: BlockSetup, linear: LinearSpec): boolean {
  return spec.tensors.find(({ name }) => name === `${linear.name}.weight`)?.transposed === true;
}
