/** @file The world around experiment files, as the language server asks for it: read from disk, kept, and watched for changes. */
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { decodeUtf8 } from "../../shared/encoding.ts";
import { UserError } from "../../shared/errors.ts";
import type { Facts, FolderEntry } from "../../../server/src/facts.ts";
import type { World } from "../../../server/src/world.ts";
import { memoryOfMachine } from "../../engine/session/machine-facts.ts";
import { readJson } from "../../engine/session/open-model.ts";
import { createAnswers, createWork } from "./answers.ts";
import { loadDataFacts } from "./data-facts.ts";
import { exampleKey, exampleLoader, exampleStamp } from "./example-facts.ts";
import { createLater } from "./later.ts";
import { cachedModels, cacheStamp, loadModelFacts, modelStamp } from "./model-facts.ts";
import type { ModelQuestion } from "./model-facts.ts";
import { createMatch } from "./regex.ts";
import { stampOf } from "./stamps.ts";

const mostCharacters = 1_000_000;
const mostEntries = 5000;
/** As long as a timer can wait. */
const longest = 2 ** 31 - 1;

/** A world that somebody can wait for. */
export interface PatientWorld extends World {
  /** Asks until every answer that it asks the facts for has come. */
  readonly complete: <T>(ask: () => T) => Promise<T>;
}

/** `failed` is told of defects; they end no answer but their own. An expression may take `matchMs` on all names. */
export function createWorld(failed: (error: unknown) => void, matchMs?: number): PatientWorld {
  const listeners = new Set<() => void>();
  let changes = 0;
  const changed = () => {
    changes += 1;
    for (const listener of listeners) listener();
  };
  const work = createWork();
  const later = createLater(changed, failed);
  const opened = new Map<string, string>();
  const ofFile = { key: (file: string) => file, stamp: (file: string) => stampOf(file) };
  const texts = createAnswers(work, changed, { ...ofFile, load: readTextFile });
  const folders = createAnswers(work, changed, { ...ofFile, load: listFolder });
  const data = createAnswers(work, changed, { ...ofFile, load: loadDataFacts });
  const adapters = createAnswers(work, changed, {
    key: (folder: string) => folder,
    stamp: (folder) => stampOf(join(folder, "adapter_config.json")),
    load: loadAdapterConfig,
  });
  const models = createAnswers(work, changed, {
    key: ({ id, revision, base }: ModelQuestion) => JSON.stringify([id, revision, base]),
    stamp: modelStamp,
    load: loadModelFacts,
  });
  const hub = createAnswers(work, changed, {
    key: () => "",
    stamp: cacheStamp,
    load: cachedModels,
  });
  // Tokenizing takes long: no answer waits for it, and it begins in a pause.
  const tokenizing = createWork();
  const examples = createAnswers(tokenizing, changed, {
    key: exampleKey,
    stamp: exampleStamp,
    load: exampleLoader(),
  });
  const all = [texts, folders, data, adapters, models, hub, examples];
  const facts: Facts = {
    text(file) {
      const text = opened.get(file);
      return text === undefined ? texts.ask(file) : { state: "known", value: text };
    },
    folder: (folder) => folders.ask(folder),
    model: (id, revision, base) => models.ask({ id, revision, base }),
    hubModels: () => hub.ask(undefined),
    data: (file) => data.ask(file),
    examples(experiment, base) {
      const question = { experiment, base };
      if (examples.isKept(question)) return examples.ask(question);
      later.add("examples", () => void examples.ask(question));
      return { state: "pending" };
    },
    adapterConfig: (folder) => adapters.ask(folder),
    memoryBytes: memoryOfMachine(),
    match: createMatch(matchMs),
    later: later.add,
  };
  return {
    facts,
    onChange(listener) {
      listeners.add(listener);
    },
    typed: later.postpone,
    open(file, text) {
      opened.set(file, text);
    },
    close(file) {
      opened.delete(file);
    },
    recheck() {
      for (const each of all) each.recheck();
      changed();
    },
    settled: work.settled,
    async complete(ask) {
      for (;;) {
        const before = changes;
        const answer = ask();
        let busy = true;
        while (busy) {
          later.finish();
          busy = (await work.settled(longest)) || (await tokenizing.settled(longest));
        }
        if (changes === before) return answer;
      }
    },
  };
}

async function readTextFile(file: string): Promise<string> {
  const { size } = await stat(file);
  if (size > mostCharacters)
    throw new UserError({
      code: "file-too-large",
      message: `${file} is too large to be read here.`,
    });
  const text = decodeUtf8(await readFile(file));
  if (typeof text === "string") return text;
  throw new UserError({ code: "not-utf8", message: text.message, remedy: text.remedy });
}

async function listFolder(folder: string): Promise<readonly FolderEntry[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  return Promise.all(
    entries.slice(0, mostEntries).map(async (entry) => {
      const isFolder = entry.isSymbolicLink()
        ? await stat(join(folder, entry.name)).then(
            (facts) => facts.isDirectory(),
            () => false,
          )
        : entry.isDirectory();
      return { name: entry.name, kind: isFolder ? "folder" : "file" };
    }),
  );
}

async function loadAdapterConfig(folder: string): Promise<unknown> {
  const file = join(folder, "adapter_config.json");
  const there = await stat(file).then(
    () => true,
    () => false,
  );
  if (there) return readJson(file);
  throw new UserError({
    code: "no-adapter",
    message: `${folder} holds no adapter_config.json.`,
    remedy: "Name the folder that peft, or a run, wrote.",
  });
}
