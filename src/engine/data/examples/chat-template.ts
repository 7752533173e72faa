/** @file Chat templates: messages to the text a model was tuned on, and what of it the assistant says. */
import { Template } from "@huggingface/jinja";
import { UserError, messageOf, type Place } from "../../../shared/errors.ts";
import { redirectStrips, stripCharacters, stripFunction } from "./strip-calls.ts";

export interface Message {
  readonly role: string;
  readonly [more: string]: unknown;
}

/** A conversation as text. */
export interface Rendered {
  readonly text: string;
  /** What lies between the template's generation tags: `[start, end]` in code units. */
  readonly generated: readonly (readonly [start: number, end: number])[];
}

export interface ChatTemplate {
  /** Whether the template says itself what the assistant generates (`{% generation %}`). */
  readonly marksGeneration: boolean;
  /**
   * Renders messages; `variables` (tools, say) are seen by the template. `addGenerationPrompt` opens the
   * assistant's turn at the end. A template that refuses the messages is a UserError at `place`.
   */
  render(
    messages: readonly Message[],
    options: {
      readonly place: Place;
      readonly addGenerationPrompt?: boolean;
      readonly variables?: Readonly<Record<string, unknown>>;
    },
  ): Rendered;
}

/**
 * Compiles a template. `constants` are what transformers gives templates besides the messages: `bos_token`
 * and its kin. `now` is the time that `strftime_now` tells: a template may write the date into every prompt,
 * and a resumed run must see the same one.
 */
export function compileChatTemplate(
  source: string,
  constants: Readonly<Record<string, string>>,
  now: Date,
): ChatTemplate {
  // Jinja reads every kind of line break as one.
  const lines = source.replaceAll(/\r\n?/g, "\n");
  const marked = markGeneration(lines);
  const marksGeneration = marked !== lines;
  const timed = marked.replaceAll("strftime_now", timeFunction);
  let template: Template;
  try {
    template = new Template(timed);
    redirectStrips(template.parsed);
  } catch (cause) {
    throw new UserError({
      code: "malformed-chat-template",
      message: `The chat template cannot be read: ${messageOf(cause)}.`,
      remedy: "Give another one in `data.chat_template`.",
      cause,
    });
  }
  return {
    marksGeneration,
    render(messages, { place, addGenerationPrompt = false, variables = {} }) {
      let text: string;
      try {
        text = template.render({
          ...constants,
          [stripFunction]: stripCharacters,
          [timeFunction]: (format: string) => formatTime(now, format),
          ...variables,
          messages,
          add_generation_prompt: addGenerationPrompt,
        });
      } catch (cause) {
        throw new UserError({
          code: "chat-template-refused",
          message: `The chat template refuses the messages: ${messageOf(cause)}.`,
          place,
          remedy: "Mend the messages, or give another template in `data.chat_template`.",
          cause,
        });
      }
      return marksGeneration ? withoutMarks(text) : { text, generated: [] };
    },
  };
}

/** The name of our clock: the template engine's own `strftime_now` tells the present and cannot be replaced. */
const timeFunction = "strftime_of_run";

/** Noncharacters that stand where a generation begins and ends; no text may hold them. */
const opening = "\ufdd0";
const closing = "\ufdd1";

/**
 * Puts marks in the places of `{% generation %}` and `{% endgeneration %}`, with the white space that block
 * tags take along when `trim_blocks` and `lstrip_blocks` are set, as transformers sets them.
 */
function markGeneration(source: string): string {
  return source.replaceAll(
    /(^[ \t]*)?\{%(-?)\s*(end)?generation\s*(-?)%\}\n?/gm,
    (_all, _indent, left: string, end: string | undefined, right: string) =>
      `{{${left} "${end === undefined ? opening : closing}" ${right}}}`,
  );
}

function withoutMarks(marked: string): Rendered {
  let text = "";
  let start: number | undefined;
  const generated: [number, number][] = [];
  for (const part of marked.split(/([\ufdd0\ufdd1])/)) {
    if (part === opening) start = text.length;
    else if (part === closing) {
      if (start !== undefined && text.length > start) generated.push([start, text.length]);
      start = undefined;
    } else text += part;
  }
  return { text, generated };
}

/** Python's `strftime` for what templates write, in English and in the local zone. */
function formatTime(time: Date, format: string): string {
  const part = (options: Intl.DateTimeFormatOptions): string =>
    new Intl.DateTimeFormat("en-US", options).format(time);
  const two = (value: number): string => String(value).padStart(2, "0");
  const parts: Readonly<Record<string, () => string>> = {
    Y: () => String(time.getFullYear()),
    m: () => two(time.getMonth() + 1),
    d: () => two(time.getDate()),
    H: () => two(time.getHours()),
    M: () => two(time.getMinutes()),
    S: () => two(time.getSeconds()),
    b: () => part({ month: "short" }),
    B: () => part({ month: "long" }),
    a: () => part({ weekday: "short" }),
    A: () => part({ weekday: "long" }),
    "%": () => "%",
  };
  return format.replaceAll(/%([A-Za-z%])/g, (all, letter: string) => parts[letter]?.() ?? all);
}
