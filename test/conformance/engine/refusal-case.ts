/** @file Choices drawn together, with what else a file may ask of them: an editor refuses what a run refuses, and nothing else. */
import assert from "node:assert/strict";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { checkFile } from "../../../src/cli/language-server/check-file.ts";
import { catalogFields, quantizers } from "../../../src/engine/catalog.ts";
import { withAbsolutePaths } from "../../../src/engine/session/absolute-paths.ts";
import { machineFacts } from "../../../src/engine/session/machine-facts.ts";
import { prepareRun } from "../../../src/engine/session/prepare-run.ts";
import { isFolder } from "../../../src/engine/weights/on-disk.ts";
import { UserError, invariant } from "../../../src/shared/errors.ts";
import { readExperiment } from "../../../src/shared/experiment/normalise.ts";
import { makeWorkspace } from "../../support/workspace.ts";
import { combinations, fileOf, titleOf } from "./combination-case.ts";
import type { Choice } from "./small-method.ts";

/** What a file asks beside its choices, by the words that say it; the first asks for nothing. */
const asked: Readonly<Record<string, Choice>> = {
  "nothing more": {},
  "merged weights": { export: ["merged"] },
  "a plain LoRA": { export: ["lora"] },
  "packed rows": { data: { packing: true } },
  "a GPU": { run: { device: "webgpu" } },
  "parts of a batch": { train: { micro_batch_size: 2 } },
};

export interface Drawn {
  readonly title: string;
  readonly file: Choice;
}

/** Every pair of values on two axes of the catalog, all quantizers among them, each with one thing more in turn. */
export function drawnFiles(seed: number): readonly Drawn[] {
  const bases = [null, ...quantizers.map(({ name }) => name)];
  return combinations(seed, bases).map((combination, index) => {
    const [words = "", more = {}] = Object.entries(asked)[index % Object.keys(asked).length] ?? [];
    return {
      title: `${titleOf(combination)}, asking for ${words}`,
      file: joined(fileOf(combination), more),
    };
  });
}

/** The file with the fields of another over it, a map within by its own fields. */
function joined(file: Choice, more: Choice): Choice {
  const within = Object.entries(more).map(([key, value]) => {
    const here = file[key];
    const maps = isMap(here) && isMap(value);
    return [key, maps ? { ...here, ...value } : value] as const;
  });
  return { ...file, ...Object.fromEntries(within) };
}

function isMap(value: unknown): value is Choice {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The code by which both refuse it; undefined where both take it. Fails where one refuses alone, or for another reason. */
export async function refusalOf(t: TestContext, { file }: Drawn): Promise<string | undefined> {
  const text = JSON.stringify(file);
  const folder = makeWorkspace(t, text);
  const path = join(folder, "a.peft.yaml");
  const { findings } = await checkFile({
    file: path,
    text,
    overrides: [],
    otherText: () => undefined,
  });
  const errors = findings.filter(({ severity }) => severity === "error");
  const run = await refusedByRun(path, text, folder);
  const told = errors.map(({ code, message }) => `${code}: ${message}`).join(" ");
  if (run === undefined) assert.equal(told, "", "the editor alone refuses it");
  else
    assert(
      errors.some(({ code }) => code === run),
      `the run refuses it: ${run}; the editor: ${told}`,
    );
  return run;
}

async function refusedByRun(
  file: string,
  text: string,
  folder: string,
): Promise<string | undefined> {
  const { experiment, findings } = readExperiment({ file, text, catalog: catalogFields });
  const error = findings.find(({ severity }) => severity === "error");
  if (error) return error.code;
  invariant(experiment, "the file is an experiment");
  try {
    const { opened } = await prepareRun(withAbsolutePaths(experiment, folder, isFolder), {
      ...{ emit: () => undefined, facts: machineFacts(), now: new Date(0) },
      rateOf: () => Promise.resolve(1),
    });
    await opened.source.close();
    return undefined;
  } catch (refused) {
    if (!(refused instanceof UserError)) throw refused;
    return refused.code;
  }
}
