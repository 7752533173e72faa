/** @file Settings and rows for tests. */
import {
  buildExamples,
  type BuiltExamples,
} from "../../../../../src/engine/data/examples/build-examples.ts";
import type {
  ExampleContext,
  ExampleSettings,
} from "../../../../../src/engine/data/examples/example-settings.ts";
import type { Row } from "../../../../../src/engine/data/rows/row.ts";
import type { LoadedTokenizer } from "../../../../../src/engine/data/tokenizer/load-tokenizer.ts";
import type { Tokenizer } from "../../../../../src/engine/data/tokenizer/tokenizer.ts";
import { byteTokenizer } from "../tokenizer/small.ts";

export const defaults: ExampleSettings = {
  format: "auto",
  columns: {
    text: "text",
    text_pair: null,
    label: "label",
    prompt: "prompt",
    completion: "completion",
    messages: "messages",
  },
  labels: null,
  problem_type: "auto",
  template: null,
  chat_template: null,
  loss_on: "auto",
  max_length: 1024,
  too_long: "truncate",
};

/** A template in the way of ChatML, over the byte tokenizer's special tokens. */
export const chatTemplate =
  "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}</s>{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}";

export function loaded(
  tokenizer: Tokenizer,
  template: string | undefined = chatTemplate,
): LoadedTokenizer {
  return { ...tokenizer, chatTemplates: new Map(template === "" ? [] : [["default", template]]) };
}

/** Builds examples of rows in memory, which stand on the lines of `data.jsonl`. */
export function build(
  values: readonly Readonly<Record<string, unknown>>[],
  settings: Partial<ExampleSettings> = {},
  context: Partial<ExampleContext> = {},
): Promise<BuiltExamples> {
  return buildExamples(
    rowsOf(values),
    { ...defaults, ...settings },
    {
      file: "data.jsonl",
      task: "causal-lm",
      tokenizer: loaded(byteTokenizer()),
      now: new Date(2024, 6, 26),
      ...context,
    },
  );
}

async function* rowsOf(values: readonly Readonly<Record<string, unknown>>[]): AsyncGenerator<Row> {
  for (const [index, row] of values.entries())
    yield await Promise.resolve({
      index,
      values: row,
      place: { file: "data.jsonl", line: index + 1 },
    });
}

/** An example as text in which what is trained on stands in brackets. */
export function marked({ examples }: BuiltExamples, tokenizer: Tokenizer, example = 0): string {
  const start = examples.starts[example] ?? 0;
  const end = examples.starts[example + 1] ?? 0;
  let text = "";
  for (let from = start; from < end;) {
    let to = from;
    while (to < end && examples.trained[to] === examples.trained[from]) to += 1;
    const part = tokenizer.decode(examples.ids.subarray(from, to));
    text += examples.trained[from] === 1 ? `[${part}]` : part;
    from = to;
  }
  return text;
}
