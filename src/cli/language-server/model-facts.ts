/** @file A model's config and the headers of its weights. */
import { homedir } from "node:os";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { readJson } from "../../engine/session/open-model.ts";
import type { ModelPlaces } from "../../engine/weights/hub-cache.ts";
import { hubCacheFolder, resolveModel } from "../../engine/weights/hub-cache.ts";
import { openWeights } from "../../engine/weights/weight-source.ts";
import type { ModelFacts } from "../../../server/src/facts.ts";
import { stampOf } from "./stamps.ts";

export interface ModelQuestion {
  readonly id: string;
  readonly revision: string | null;
  /** Folder that a relative path starts from. */
  readonly base: string;
}

export function places(base: string): ModelPlaces {
  return { base, env: process.env, home: homedir() };
}

export async function folderOfModel({ id, revision, base }: ModelQuestion): Promise<string> {
  const reference = { id, ...(revision !== null && { revision }) };
  return (await resolveModel(reference, places(base))).folder;
}

export async function loadModelFacts({ id, revision, base }: ModelQuestion): Promise<ModelFacts> {
  const reference = { id, ...(revision !== null && { revision }) };
  const { folder, hubId, snapshot } = await resolveModel(reference, places(base));
  const source = await openWeights(folder);
  await source.close();
  const config = await readJson(join(folder, "config.json"));
  return {
    folder: folder.replaceAll("\\", "/"),
    ...(hubId !== undefined && { hubId }),
    ...(snapshot !== undefined && { snapshot }),
    config,
    tensors: source.tensors,
    chatTemplate: await hasChatTemplate(folder),
  };
}

export async function modelStamp(question: ModelQuestion): Promise<string> {
  const folder = await folderOfModel(question);
  const files = ["config.json", "model.safetensors", "model.safetensors.index.json"];
  return `${folder} ${await stampOf(folder, ...files.map((file) => join(folder, file)))}`;
}

/** Ids of the models that the local cache holds. */
export async function cachedModels(): Promise<readonly string[]> {
  const names = await readdir(hubCacheFolder(places(process.cwd()))).catch(() => []);
  return names.flatMap((name) =>
    name.startsWith("models--") ? name.slice("models--".length).replace("--", "/") : [],
  );
}

export function cacheStamp(): Promise<string> {
  return stampOf(hubCacheFolder(places(process.cwd())));
}

async function hasChatTemplate(folder: string): Promise<boolean> {
  const names = await readdir(folder);
  if (names.includes("chat_template.jinja")) return true;
  const text = await readFile(join(folder, "tokenizer_config.json"), "utf8").catch(() => "");
  return text.includes('"chat_template"');
}
