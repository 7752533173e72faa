/** @file Settles from the first row what `auto` means, and makes the encoder of all rows. */
import { UserError } from "../../../shared/errors.ts";
import { nearest } from "../../../shared/experiment/nearest.ts";
import { columnText, listedColumns, rowName, unsplitRow, type Row } from "../rows/row.ts";
import type { ExampleContext, ExampleSettings } from "./example-settings.ts";
import { compileChatTemplate, type ChatTemplate } from "./chat-template.ts";
import {
  chatPromptEncoder,
  labelledEncoder,
  messageEncoder,
  promptEncoder,
  textEncoder,
  type RowEncoder,
} from "./encode-row.ts";
import { foundLabels, knownLabels, type LabelColumn } from "./label-column.ts";
import { readTemplate } from "./template.ts";

export type Format = "text" | "prompt-completion" | "messages" | "labelled";
export type Loss = "completion" | "assistant" | "all";

/** The form of a data set's examples, nothing left to be told. */
export interface SettledForm {
  readonly format: Format;
  /** Which tokens the loss is computed on; of labelled examples, none. */
  readonly loss: Loss;
  readonly encoder: RowEncoder;
  readonly labels: LabelColumn | undefined;
  /** Whether texts end with the tokenizer's end of sequence as TRL writes it (chat templates write their own). */
  readonly writesEnd: boolean;
}

export function settleForm(
  first: Row,
  settings: ExampleSettings,
  context: ExampleContext,
): SettledForm {
  const { tokenizer } = context;
  const columns = { ...settings.columns, messages: messagesColumn(first, settings) };
  const format = settleFormat(first, settings, context, columns.messages);
  const loss = settleLoss(format, settings);
  const plain = { format, loss, labels: undefined, writesEnd: true };
  switch (format) {
    case "text":
      return { ...plain, encoder: textEncoder(tokenizer, columns.text) };
    case "messages": {
      const template = chatTemplate(settings, context);
      const options = { column: columns.messages, loss };
      return { ...plain, writesEnd: false, encoder: messageEncoder(tokenizer, template, options) };
    }
    case "prompt-completion": {
      const { prompt, completion } = columns;
      const part = loss === "all" ? "all" : "completion";
      if (settings.chat_template !== null || Array.isArray(first.values[prompt])) {
        const template = chatTemplate(settings, context);
        const options = { prompt, completion, loss: part } as const;
        return {
          ...plain,
          writesEnd: false,
          encoder: chatPromptEncoder(tokenizer, template, options),
        };
      }
      const place = { file: context.file, field: "data.template" };
      const filled =
        settings.template === null
          ? (row: Row) => columnText(row, prompt)
          : readTemplate(settings.template, columns, place);
      const options = { prompt: filled, completion, loss: part } as const;
      return { ...plain, encoder: promptEncoder(tokenizer, options) };
    }
    case "labelled": {
      const options = { text: columns.text, pair: columns.text_pair };
      const labels = labelColumn(settings, context);
      return { ...plain, writesEnd: false, labels, encoder: labelledEncoder(tokenizer, options) };
    }
  }
}

/** The column of the messages; ShareGPT's is called `conversations`. */
function messagesColumn({ values }: Row, { columns }: ExampleSettings): string {
  const usual = columns.messages === "messages" && !Object.hasOwn(values, "messages");
  return usual && Object.hasOwn(values, "conversations") ? "conversations" : columns.messages;
}

function settleFormat(
  first: Row,
  { format, columns }: ExampleSettings,
  { task }: ExampleContext,
  messages: string,
): Format {
  if (format !== "auto") return format;
  if (task === "sequence-classification") return "labelled";
  const has = (column: string): boolean => Object.hasOwn(first.values, column);
  if (has(messages)) return "messages";
  if (has(columns.prompt) && has(columns.completion)) return "prompt-completion";
  if (has(columns.text)) return "text";
  throw unsplitRow(first) ?? unknownForm(first, columns);
}

/** The refusal of a row that has the columns of no form, with those that one lacks where it has others of it. */
function unknownForm(first: Row, columns: ExampleSettings["columns"]): UserError {
  const { prompt, completion, text, messages } = columns;
  const has = (column: string): boolean => Object.hasOwn(first.values, column);
  const [there, absent] = has(prompt) ? [prompt, completion] : [completion, prompt];
  const half = has(there) ? `\`${there}\` without \`${absent}\`; ` : "";
  const [role, near] =
    [text, prompt, completion, messages]
      .map((column) => [column, nearest(column, Object.keys(first.values))] as const)
      .find(([column, name]) => name !== undefined && !has(column)) ?? [];
  const meant = near === undefined ? "" : `Is \`${near}\` the \`${role}\`? `;
  return new UserError({
    code: "missing-column",
    message: `${rowName(first)} has the columns of no kind of example: ${half}it has ${listedColumns(first)}.`,
    place: first.place,
    remedy:
      `${meant}An example has \`${text}\`; or \`${prompt}\` and \`${completion}\`; or \`${messages}\`, a list of role and content. ` +
      "`data.columns` says where other columns are meant, such as `columns: { prompt: question, completion: answer }`.",
  });
}

function settleLoss(format: Format, { loss_on: on }: ExampleSettings): Loss {
  if (on !== "auto") return format === "messages" || on === "all" ? on : "completion";
  if (format === "messages") return "assistant";
  return format === "prompt-completion" ? "completion" : "all";
}

function labelColumn(settings: ExampleSettings, { target }: ExampleContext): LabelColumn {
  const { columns, labels: names, problem_type: problem } = settings;
  if (target !== undefined) return knownLabels(columns.label, target);
  if (names !== null) return knownLabels(columns.label, { kind: "class", names });
  if (problem === "regression") return knownLabels(columns.label, { kind: "number" });
  return foundLabels(columns.label, problem);
}

/** The template that the settings give, else the tokenizer's. */
function chatTemplate(settings: ExampleSettings, context: ExampleContext): ChatTemplate {
  const { tokenizer, now } = context;
  const given = settings.chat_template;
  const own = given === null || given === "tokenizer";
  const source = own ? tokenizer.chatTemplates.get("default") : given;
  if (source === undefined)
    throw new UserError({
      code: "missing-chat-template",
      message: "The model's tokenizer has no chat template, which messages need.",
      place: { file: context.file },
      remedy: "Give one in `data.chat_template`, or use another format.",
    });
  const constants = Object.fromEntries(
    Object.entries(tokenizer.special).map(([role, { token }]) => [`${role}_token`, token]),
  );
  return compileChatTemplate(source, constants, now);
}
