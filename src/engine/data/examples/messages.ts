/** @file The messages of a row, and what of their text is trained on. */
import { UserError } from "../../../shared/errors.ts";
import { isRecord } from "../../../shared/wire.ts";
import { columnValue, kindOf, rowName, type Row } from "../rows/row.ts";
import type { ChatTemplate, Message } from "./chat-template.ts";

/** Text with the stretches of it that are trained on: `[start, end]` in code units; `all` of it, or some. */
export interface MarkedText {
  readonly text: string;
  readonly trained: "all" | readonly (readonly [start: number, end: number])[];
}

/**
 * Reads a row's messages: a list of `{ role, content }`, the same as JSON text, or ShareGPT's
 * `{ from, value }`, whose `human` and `gpt` are the user and the assistant.
 */
export function readMessages(row: Row, column: string): readonly Message[] {
  const value = columnValue(row, column);
  const list = typeof value === "string" ? parseList(value) : value;
  if (!Array.isArray(list) || list.length === 0)
    throw messageError(row, `Column \`${column}\` holds ${kindOf(list)}, not a list of messages.`);
  return list.map((entry: unknown, index) => {
    const message = readMessage(entry);
    if (message !== undefined) return message;
    throw messageError(row, `Message ${index + 1} of \`${column}\` has no role and content.`);
  });
}

/** Variables that a row gives its template besides the messages. */
function templateVariables(row: Row): Readonly<Record<string, unknown>> {
  const tools = row.values.tools;
  if (tools === undefined || tools === null) return {};
  return { tools: typeof tools === "string" ? parseList(tools) : tools };
}

/**
 * Renders a row's messages and finds what the assistant says in them: between the template's generation
 * tags where it has any, else by rendering the conversation up to and with each turn of the assistant. That
 * works only where each of these is the beginning of the next; a template that renders turns differently
 * later on is refused. `loss` `completion` keeps the last turn only.
 */
export function renderMessages(
  row: Row,
  messages: readonly Message[],
  template: ChatTemplate,
  loss: "assistant" | "completion" | "all",
): MarkedText {
  const options = { place: row.place, variables: templateVariables(row) };
  const { text, generated } = template.render(messages, options);
  if (loss === "all") return { text, trained: "all" };
  const spans = template.marksGeneration
    ? generated
    : messages.flatMap((message, index) =>
        message.role === "assistant" ? [turnSpan(row, messages, index, text, template)] : [],
      );
  return { text, trained: loss === "completion" ? spans.slice(-1) : spans };
}

/** Where the turn of message `index` stands in the whole conversation's text. */
function turnSpan(
  row: Row,
  messages: readonly Message[],
  index: number,
  whole: string,
  template: ChatTemplate,
): readonly [number, number] {
  const options = { place: row.place, variables: templateVariables(row) };
  const before = template.render(messages.slice(0, index), {
    ...options,
    addGenerationPrompt: true,
  }).text;
  const through = template.render(messages.slice(0, index + 1), options).text;
  if (through.startsWith(before) && whole.startsWith(through))
    return [before.length, through.length];
  throw new UserError({
    code: "assistant-turns-unknown",
    message:
      "The chat template does not tell what the assistant says: it has no generation tags, and it renders " +
      (whole.startsWith(through)
        ? `the opening of message ${index + 1} differently from how it prompts for it.`
        : `message ${index + 1} differently once others follow.`),
    place: row.place,
    remedy:
      "Put {% generation %} and {% endgeneration %} around the assistant's words in the template, or set `loss_on: all`.",
  });
}

function readMessage(entry: unknown): Message | undefined {
  if (!isRecord(entry)) return undefined;
  if (typeof entry.role === "string") return { ...entry, role: entry.role };
  if (typeof entry.from !== "string" || typeof entry.value !== "string") return undefined;
  const roles: Readonly<Record<string, string>> = { human: "user", gpt: "assistant" };
  return { role: roles[entry.from] ?? entry.from, content: entry.value };
}

function parseList(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function messageError(row: Row, message: string): UserError {
  return new UserError({
    code: "malformed-messages",
    message: row.place.line === undefined ? `${rowName(row)}: ${message}` : message,
    place: row.place,
    remedy:
      'Give a list such as [{"role": "user", "content": "…"}, {"role": "assistant", "content": "…"}].',
  });
}
