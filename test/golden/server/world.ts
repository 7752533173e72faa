/** @file A small world for the service's tests: models, data, folders and a cache that are only told of. */
import { createMatch } from "../../../src/cli/language-server/regex.ts";
import type { DataFacts, ExampleFacts, Facts, Known, ModelFacts } from "../../../server/src/facts.ts";
import { readModel } from "../../../src/engine/models/registry.ts";
import { exampleStore } from "../../../src/engine/data/examples/example-store.ts";

/** Folder that the tests' documents lie in. */
export const base = "/lab";

const llama = {
  model_type: "llama",
  hidden_size: 64,
  intermediate_size: 160,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  vocab_size: 300,
  max_position_embeddings: 256,
};

const bert = {
  model_type: "bert",
  hidden_size: 32,
  intermediate_size: 64,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  vocab_size: 200,
  max_position_embeddings: 128,
  type_vocab_size: 2,
};

/** An architecture that does not train here: what is known of it are the headers. */
const other: ModelFacts = {
  folder: `${base}/other`,
  config: { model_type: "mamba9", n_layer: 2, max_position_embeddings: 64 },
  tensors: new Map(
    ["mixer.in_proj", "mixer.out_proj"].flatMap((name) =>
      [0, 1].map((layer) => [`backbone.layers.${layer}.${name}.weight`, { shape: [48, 24] }] as const),
    ),
  ),
  chatTemplate: false,
};

function modelFacts(folder: string, config: object, task: "causal-lm" | "sequence-classification"): ModelFacts {
  const { value } = readModel(config, "config.json", task);
  const tensors = value?.blocks.flatMap((block) => block.tensors) ?? [];
  return {
    folder,
    config,
    tensors: new Map(
      tensors
        .filter(({ fresh }) => fresh === undefined)
        .map(({ source, shape }) => [source, { shape, dtype: "float32" as const }]),
    ),
    chatTemplate: false,
  };
}

/** A config.json that counts fewer layers than the weights have. */
const cut: ModelFacts = {
  ...modelFacts(`${base}/cut`, llama, "causal-lm"),
  config: { ...llama, num_hidden_layers: 1 },
};

/** A config.json that counts more layers and wider ones than the weights have. */
const grown: ModelFacts = {
  ...modelFacts(`${base}/grown`, llama, "causal-lm"),
  config: { ...llama, num_hidden_layers: 3, intermediate_size: 192 },
};

const models: Readonly<Record<string, ModelFacts>> = {
  "./cut": cut,
  "./grown": grown,
  "./wordless": modelFacts(`${base}/wordless`, llama, "causal-lm"),
  "./base": modelFacts(`${base}/base`, llama, "causal-lm"),
  "./encoder": modelFacts(`${base}/encoder`, bert, "sequence-classification"),
  "./other": other,
  "org/cached": {
    ...modelFacts("/cache/models--org--cached/snapshots/abc", llama, "causal-lm"),
    hubId: "org/cached",
    snapshot: "abc",
    chatTemplate: true,
  },
};

function table(columns: readonly string[], rows: number, values: Readonly<Record<string, readonly string[]>> = {}): DataFacts {
  return { columns, rows, exact: true, values: new Map(Object.entries(values)) };
}

const data: Readonly<Record<string, DataFacts | "broken">> = {
  "train.jsonl": table(["prompt", "completion"], 640),
  "questions.jsonl": table(["question", "answer"], 640),
  "chat.jsonl": table(["messages"], 640),
  "tiny.jsonl": table(["prompt", "completion"], 12),
  "eval.jsonl": table(["prompt", "completion"], 200),
  "test.jsonl": table(["prompt", "completion"], 200),
  "labelled.csv": table(["sentence", "label"], 500, { label: ["negative", "neutral", "positive"] }),
  "one-label.csv": table(["text", "label"], 500, { label: ["positive"] }),
  "general.txt": table(["text"], 1000),
  "broken.jsonl": "broken",
};

function known<T>(value: T): Known<T> {
  return { state: "known", value };
}

function absent(code: string, message: string, remedy?: string): { readonly state: "absent"; readonly why: { code: string; message: string; remedy: string | undefined } } {
  return { state: "absent", why: { code, message, remedy } };
}

/** Every example has the same length; a quarter of its tokens are trained on. */
function examples(count: number, length: number, maxLength: number, labels: readonly string[] | undefined): ExampleFacts {
  const store = exampleStore({ typeIds: false, labels: false });
  const fitted = Math.min(length, maxLength);
  const ids = Array.from({ length: fitted }, () => 1);
  const trained = ids.map((_, index) => (index * 4 >= fitted * 3 ? 1 : 0));
  for (let row = 0; row < count; row += 1) store.add({ ids, trained, row });
  return {
    examples: store.finish(),
    counts: {
      rows: count,
      tokens: count * fitted,
      trainedTokens: (count * fitted) / 4,
      longest: fitted,
      tooLong: length > maxLength ? count : 0,
    },
    target: labels === undefined ? undefined : { kind: "class", names: labels },
    vocabSize: 300,
    complete: true,
    total: count,
  };
}

export interface WorldOptions {
  readonly memoryBytes?: number;
  /** Other files of the folder, by name. */
  readonly texts?: Readonly<Record<string, string>>;
}

export function world({ memoryBytes = 8e9, texts = {} }: WorldOptions = {}): Facts {
  const match = createMatch();
  const kept = new Map<string, ExampleFacts>();
  const nameOf = (file: string) => file.slice(file.lastIndexOf("/") + 1);
  return {
    memoryBytes,
    match,
    later(_, work) {
      work();
    },
    text(file) {
      const text = texts[nameOf(file)];
      return text === undefined ? absent("no-such-file", `There is no file ${file}.`) : known(text);
    },
    folder(folder) {
      if (folder === base)
        return known([
          ...Object.keys(data).map((name) => ({ name, kind: "file" as const })),
          ...Object.keys(texts).map((name) => ({ name, kind: "file" as const })),
          ...["base", "encoder", "other", "adapter"].map((name) => ({ name, kind: "folder" as const })),
        ]);
      if (folder === `${base}/adapter`)
        return known([{ name: "adapter_config.json", kind: "file" as const }]);
      return absent("no-such-folder", `There is no folder ${folder}.`);
    },
    model(id) {
      const found = models[id];
      if (found !== undefined) return known(found);
      return absent("model-not-found", `There is no model ${id} on this machine.`, "Fetch it: `hf download`.");
    },
    hubModels: () => known(["org/cached", "org/cached-large"]),
    data(file) {
      const found = data[nameOf(file)];
      if (found === "broken")
        return absent("malformed-data", `${nameOf(file)}:3: The line is no JSON.`, "Write one JSON object on each line.");
      return found === undefined ? absent("no-such-file", "There is no such file.") : known(found);
    },
    adapterConfig: (folder) =>
      folder === `${base}/adapter`
        ? known({ peft_type: "LORA", r: 16, base_model_name_or_path: "org/cached" })
        : absent("no-adapter", `${folder} holds no adapter_config.json.`),
    examples({ model, data: { train, max_length: maxLength } }) {
      if (model.id === "./wordless")
        return absent("missing-tokenizer", `${base}/wordless has no tokenizer.json.`, "Take it from the model's page.");
      const found = data[nameOf(train)];
      if (found === undefined || found === "broken") return { state: "pending" };
      const key = `${train} ${maxLength}`;
      const made =
        kept.get(key) ?? examples(found.rows, 40, maxLength, found.values.get("label"));
      kept.set(key, made);
      return known(made);
    },
  };
}
