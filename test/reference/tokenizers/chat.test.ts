/** @file Chat templates against transformers: the text, and what of it the assistant generates (see chat.py). */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import {
  compileChatTemplate,
  type Message,
} from "../../../src/engine/data/examples/chat-template.ts";

interface Cases {
  readonly templates: Readonly<Record<string, string>>;
  readonly cases: readonly {
    readonly template: string;
    readonly messages: readonly Message[];
    readonly tools: unknown;
    readonly prompt: boolean;
    readonly text: string;
    readonly generated: readonly (readonly [number, number])[];
  }[];
}

const { templates, cases } = readCases();
const constants = { bos_token: "<s>", eos_token: "</s>" };
const now = new Date(0);
const place = { file: "data.jsonl" };

for (const [index, each] of cases.entries())
  test(`${each.template}, case ${index}`, () => {
    const template = compileChatTemplate(templates[each.template] ?? "", constants, now);
    const variables = each.tools === null ? {} : { tools: each.tools };
    const options = { place, addGenerationPrompt: each.prompt, variables };
    assert.deepEqual(template.render(each.messages, options), {
      text: each.text,
      generated: each.generated,
    });
  });

function readCases(): Cases {
  const file = join(import.meta.dirname, "fixtures", "chat.json");
  const value: unknown = JSON.parse(readFileSync(file, "utf8"));
  if (!isCases(value)) throw new Error("chat.json is not what chat.py writes");
  return value;
}

function isCases(value: unknown): value is Cases {
  return typeof value === "object" && value !== null && "templates" in value && "cases" in value;
}
