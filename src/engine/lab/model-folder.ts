/** @file A model folder as a set of matrices by name, whatever its architecture. */
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { at } from "../../shared/errors.ts";
import { parseJson } from "../../shared/wire.ts";
import { unlessMissing } from "../runs/file-errors.ts";
import type { ModelPlaces, ResolvedModel } from "../weights/hub-cache.ts";
import { resolveModel } from "../weights/hub-cache.ts";
import type { TensorInfo } from "../weights/safetensors.ts";
import type { WeightSource } from "../weights/weight-source.ts";
import { openWeights } from "../weights/weight-source.ts";
import { plainName } from "./names.ts";
import type { ModelFacts } from "./orientation.ts";
import { fusedParts, isConv1d, modelFacts, storesConv1d } from "./orientation.ts";
import type { StoredMatrix } from "./stored-matrix.ts";
import { isFloatMatrix, sizeOf } from "./stored-matrix.ts";

/** An opened folder; matrices keep the names of their files and are found by {@link plainName}. */
export interface ModelFolder {
  readonly path: string;
  readonly resolved: ResolvedModel;
  readonly source: WeightSource;
  readonly facts: ModelFacts;
  /** config.json, undefined where there is none. */
  readonly config: unknown;
  /** Every matrix by its plain name. */
  readonly matrices: ReadonlyMap<string, StoredMatrix>;
  readonly close: () => Promise<void>;
}

/** Opens a folder, a safetensors file or a hub id of the local cache. A {@link UserError} where that is none. */
export async function openModelFolder(id: string, places: ModelPlaces): Promise<ModelFolder> {
  const isFile = /\.(safetensors|index\.json|bin|pt|pth)$/.test(id);
  const resolved = isFile ? { folder: join(places.base, id) } : await resolveModel({ id }, places);
  const path = isFile && id.startsWith("/") ? id : resolved.folder;
  const source = await openWeights(path);
  const config = await configOf(isFile ? dirname(path) : path);
  const facts = modelFacts(config);
  const turned = storesConv1d(facts, source.tensors);
  const matrices = new Map<string, StoredMatrix>();
  for (const info of source.tensors.values())
    if (isFloatMatrix(info))
      matrices.set(plainName(info.name), {
        source,
        info,
        transposed: turned && isConv1d(info.name),
      });
  return { path, resolved, source, facts, config, matrices, close: source.close };
}

async function configOf(folder: string): Promise<unknown> {
  const text = await unlessMissing(readFile(join(folder, "config.json"), "utf8"));
  return text === undefined ? undefined : parseJson(text);
}

/** A matrix, or the parts of a fused one, each with the name it goes by. */
export function cut(
  name: string,
  stored: StoredMatrix,
  facts: ModelFacts,
  splitsFused: boolean,
): readonly (readonly [name: string, stored: StoredMatrix])[] {
  const { out, in: width } = sizeOf(stored);
  const parts = splitsFused ? fusedParts(name, out, width, facts) : undefined;
  if (!parts) return [[name, stored]];
  return parts.map((part) => [`${name}[${part.label}]`, { ...stored, part }]);
}

/** How a shape is told: [out, in] as stored. */
export function shapeText({ shape }: Pick<TensorInfo, "shape">): string {
  return `[${at(shape, 0)}, ${at(shape, 1)}]`;
}
