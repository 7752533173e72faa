/** @file What a model or adapter folder holds, told from its configuration and headers: any architecture, nothing computed. */
import { join } from "node:path";
import type { Finding } from "../../shared/findings.ts";
import { isRecord } from "../../shared/wire.ts";
import type { FieldRule } from "../adapters/lora-config-fields.ts";
import { loraConfigFields } from "../adapters/lora-config-fields.ts";
import { adapterFiles } from "../exports/peft-adapter.ts";
import type { Model, ModelSizes, Task } from "../models/architecture.ts";
import { readModel } from "../models/registry.ts";
import { lastPart } from "../models/module-names.ts";
import type { ModelPlaces, ModelReference, ResolvedModel } from "../weights/hub-cache.ts";
import { resolveModel } from "../weights/hub-cache.ts";
import type { WeightSummary } from "../weights/inspect.ts";
import { summarizeWeights } from "../weights/inspect.ts";
import type { TensorInfo } from "../weights/safetensors.ts";
import { openWeights } from "../weights/weight-source.ts";
import { isFile } from "../weights/on-disk.ts";
import { readJson } from "./open-model.ts";

export interface Inspected {
  readonly resolved: ResolvedModel;
  readonly kind: "model" | "adapter";
  /** Missing where the architecture is not one that trains here; findings say why. */
  readonly architecture: InspectedArchitecture | undefined;
  /** Of an adapter: the fields of its configuration that say something. */
  readonly adapter: Readonly<Record<string, unknown>> | undefined;
  readonly weights: WeightSummary;
  readonly tensors: readonly TensorInfo[];
  readonly findings: readonly Finding[];
}

export interface InspectedArchitecture {
  readonly modelType: string;
  readonly transformersClass: string;
  readonly task: Task;
  readonly sizes: ModelSizes;
  readonly labels: number | undefined;
  /** Linear layers that a method can target, by the last part of their name. */
  readonly linears: readonly LinearKind[];
}

export interface LinearKind {
  /** What `target_modules` calls them. */
  readonly name: string;
  readonly count: number;
  /** Distinct [out, in]. */
  readonly shapes: readonly (readonly [out: number, input: number])[];
  /** Whether `all-linear` takes them. */
  readonly inAllLinear: boolean;
}

/** Opens a folder or hub id; a {@link UserError} where there is none, or its weights break the format. */
export async function inspectModel(
  reference: ModelReference,
  places: ModelPlaces,
): Promise<Inspected> {
  const resolved = await resolveModel(reference, places);
  const isAdapter = await isFile(join(resolved.folder, adapterFiles.config));
  const source = await openWeights(
    isAdapter ? join(resolved.folder, adapterFiles.weights) : resolved.folder,
  );
  await source.close();
  const tensors = [...source.tensors.values()];
  const common = { resolved, weights: summarizeWeights(tensors), tensors };
  if (isAdapter) {
    const config = await readJson(join(resolved.folder, adapterFiles.config));
    const adapter = isRecord(config) ? effectiveFields(config) : {};
    return {
      ...common,
      kind: "adapter",
      architecture: undefined,
      adapter,
      findings: source.findings,
    };
  }
  const { value, findings } = await architectureOf(resolved.folder);
  return {
    ...common,
    kind: "model",
    architecture: value && describe(value),
    adapter: undefined,
    // That an architecture does not train here is no fault of the folder's.
    findings: [...findings, ...source.findings].map((finding) =>
      finding.severity === "error" ? { ...finding, severity: "warning" as const } : finding,
    ),
  };
}

async function architectureOf(
  folder: string,
): Promise<{ readonly value: Model | undefined; readonly findings: readonly Finding[] }> {
  const file = join(folder, "config.json");
  if (!(await isFile(file)))
    return {
      value: undefined,
      findings: [
        {
          code: "missing-model-file",
          severity: "warning",
          message: `${folder} has no config.json: only its tensors are known.`,
          place: { file: folder },
        },
      ],
    };
  const config = await readJson(file);
  const causal = readModel(config, file, "causal-lm");
  if (causal.findings.some(({ code }) => code === "unsupported-task"))
    return readModel(config, file, "sequence-classification");
  return causal;
}

function describe(model: Model): InspectedArchitecture {
  const kinds = Map.groupBy(
    model.blocks.flatMap(({ linears }) => linears),
    ({ module }) => lastPart(module),
  );
  return {
    modelType: model.modelType,
    transformersClass: model.transformersClass,
    task: model.task,
    sizes: model.sizes,
    labels: model.labels,
    linears: [...kinds].map(([name, linears]): LinearKind => {
      const shapes = new Map(
        linears.map(({ out, in: width }) => [`${out},${width}`, [out, width] as const]),
      );
      return {
        name,
        count: linears.length,
        shapes: [...shapes.values()],
        inAllLinear: linears.some(({ head }) => head !== true),
      };
    }),
  };
}

/** The fields that say something about what the adapter computes. */
function effectiveFields(
  config: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const rules: ReadonlyMap<string, FieldRule> = new Map(Object.entries(loraConfigFields));
  const hasEffect = (field: string): boolean => {
    const rule = rules.get(field);
    return typeof rule !== "object" || !("noEffect" in rule);
  };
  const says = (value: unknown): boolean =>
    value !== null &&
    value !== false &&
    !(typeof value === "object" && Object.keys(value).length === 0);
  return Object.fromEntries(
    Object.entries(config).filter(([field, value]) => hasEffect(field) && says(value)),
  );
}
