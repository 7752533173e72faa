/** @file What a run was made from, by content: so that a record can tell it again, and a resumed run goes on from the same. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../../shared/errors.ts";
import type { Experiment } from "../../shared/experiment/fields/experiment-fields.ts";
import { adapterFiles } from "../exports/peft-adapter.ts";
import { hashFiles } from "../weights/content-hash.ts";
import type { ModelPlaces } from "../weights/hub-cache.ts";
import { referenceOf, resolveModel } from "../weights/hub-cache.ts";
import { locateWeights } from "../weights/locate-weights.ts";

/** SHA-256 by the field that names the files. */
export type InputHashes = Readonly<Record<string, string>>;

/** Files of a model folder that decide beside its weights. */
const modelFiles = ["config.json", "tokenizer.json", "tokenizer_config.json"];

/** Of an experiment with absolute paths: the model, adapters that it goes on from, and the data. */
export async function inputHashes(
  { model, data, method, eval: { forgetting } }: Experiment,
  places: ModelPlaces,
): Promise<InputHashes> {
  const { folder } = await resolveModel(referenceOf(model), places);
  const { files } = await locateWeights(folder);
  const beside = modelFiles.map((name) => join(folder, name)).filter((file) => existsSync(file));
  const inputs: readonly (readonly [field: string, files: readonly string[]])[] = [
    ["model", [...files, ...beside]],
    ...method.flatMap(({ from }, index) => {
      if (from === null) return [];
      const field = index === 0 ? "method.from" : `method.${index}.from`;
      return [[field, [join(from, adapterFiles.weights)]] as const];
    }),
    ["data.train", [data.train]],
    ["data.eval", typeof data.eval === "string" ? [data.eval] : []],
    ["data.test", data.test === null ? [] : [data.test]],
    ["eval.forgetting.text", forgetting === null ? [] : [forgetting.text]],
  ];
  const hashes: [string, string][] = [];
  for (const [field, paths] of inputs)
    if (paths.length > 0) hashes.push([field, (await hashFiles(paths)).sha256]);
  return Object.fromEntries(hashes);
}

/** Throws where a run would go on from other files than it began with; what was not recorded is not compared. */
export function checkSameInputs(first: InputHashes, now: InputHashes): void {
  const changed = Object.entries(first).filter(([field, hash]) => (now[field] ?? hash) !== hash);
  if (changed.length === 0) return;
  throw new UserError({
    code: "inputs-changed",
    message: `The files of ${changed.map(([field]) => field).join(", ")} are no longer those that the run began with.`,
    place: { file: "", field: changed[0]?.[0] ?? "" },
    remedy: "Put the files back as they were, or begin a new run.",
  });
}
