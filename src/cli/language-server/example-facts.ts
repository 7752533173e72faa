/** @file Training examples as tokens, for steps and memory; of a large file the first ones. */
import { setImmediate } from "node:timers/promises";
import { buildExamples } from "../../engine/data/examples/build-examples.ts";
import { readRows } from "../../engine/data/rows/read-rows.ts";
import type { Row } from "../../engine/data/rows/row.ts";
import type { LoadedTokenizer } from "../../engine/data/tokenizer/load-tokenizer.ts";
import { loadTokenizer } from "../../engine/data/tokenizer/load-tokenizer.ts";
import { readModel } from "../../engine/models/registry.ts";
import { readJson } from "../../engine/session/open-model.ts";
import { refuseOtherTokenizer } from "../../engine/session/refuse-other-tokenizer.ts";
import type { Experiment } from "../../shared/experiment/fields/experiment-fields.ts";
import { join } from "../../shared/experiment/paths.ts";
import type { ExampleFacts } from "../../../server/src/facts.ts";
import { loadDataFacts } from "./data-facts.ts";
import { folderOfModel } from "./model-facts.ts";
import { stampOf } from "./stamps.ts";

export interface ExampleQuestion {
  readonly experiment: Experiment;
  readonly base: string;
}

const mostRows = 4000;
const mostCharacters = 3e6;
const stretch = 40;

/** What the tokens depend on. */
export function exampleKey({ experiment: { model, task, data }, base }: ExampleQuestion): string {
  const others = ["eval", "test", "packing", "shuffle"];
  if (task === "causal-lm") others.push("labels", "problem_type");
  const form = Object.entries(data).filter(([field]) => !others.includes(field));
  return JSON.stringify([base, model, task, form]);
}

export async function exampleStamp({ experiment, base }: ExampleQuestion): Promise<string> {
  const { id, revision } = experiment.model;
  const folder = await folderOfModel({ id, revision, base });
  return stampOf(join(base, experiment.data.train), join(folder, "tokenizer.json"));
}

export function exampleLoader(): (question: ExampleQuestion) => Promise<ExampleFacts> {
  const tokenizers = new Map<string, Promise<LoadedTokenizer>>();
  // Of the last file alone: it may be mended, or another model's may be asked for.
  const tokenizerOf = async (folder: string): Promise<LoadedTokenizer> => {
    const key = `${folder} ${await stampOf(join(folder, "tokenizer.json"))}`;
    const tokenizer = tokenizers.get(key) ?? loadTokenizer(folder);
    if (!tokenizers.has(key)) tokenizers.clear();
    tokenizers.set(key, tokenizer);
    return tokenizer;
  };
  return async ({ experiment, base }) => {
    const { data, task, model } = experiment;
    const folder = await folderOfModel({ ...model, base });
    const loaded = await tokenizerOf(folder);
    const config = await readJson(join(folder, "config.json"));
    const read = readModel(config, "config.json", task).value;
    if (read) refuseOtherTokenizer(read, loaded);
    const most = read?.sizes.maxLength ?? Infinity;
    const file = join(base, data.train);
    const cut = { done: true };
    const built = await buildExamples(
      beginning(readRows(file), cut),
      // That an example is too long is counted here, and refused by the run.
      {
        ...data,
        max_length: Math.min(data.max_length, most),
        too_long: data.too_long === "error" ? "truncate" : data.too_long,
      },
      { task, tokenizer: loaded, now: new Date(), file },
    );
    const { counts } = built;
    const total = cut.done ? built.examples.count : (await loadDataFacts(file)).rows;
    return {
      examples: built.examples,
      counts,
      target: built.target,
      vocabSize: loaded.vocabSize,
      complete: cut.done,
      total,
    };
  };
}

/** The first rows; `cut.done` becomes false where there are more. */
async function* beginning(rows: AsyncIterable<Row>, cut: { done: boolean }): AsyncGenerator<Row> {
  let count = 0;
  let characters = 0;
  for await (const row of rows) {
    if (count >= mostRows || characters >= mostCharacters) {
      cut.done = false;
      return;
    }
    count += 1;
    for (const value of Object.values(row.values))
      characters += typeof value === "string" ? value.length : 100;
    // Between stretches the service answers.
    if (count % stretch === 0) await setImmediate();
    yield row;
  }
}
