/** @file Text from a prompt: tokens chosen one by one, given out as text as soon as it is certain. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createRandom, streamKey } from "../../../kernels/random/index.ts";
import { at, UserError } from "../../shared/errors.ts";
import { isRecord, parseJson } from "../../shared/wire.ts";
import { compileChatTemplate } from "../data/examples/chat-template.ts";
import type { LoadedTokenizer } from "../data/tokenizer/load-tokenizer.ts";
import { streamDecoder } from "../data/tokenizer/stream-decoder.ts";
import type { NetworkContext } from "../network/context.ts";
import { generate } from "../network/generation.ts";
import type { SamplingOptions, Uniform } from "../network/sampling.ts";
import { tokenChooser } from "../network/sampling.ts";
import { kernelBytes } from "../runtime/kernels.ts";

export interface TextOptions extends SamplingOptions {
  readonly maxNewTokens: number;
  /** The same seed draws the same tokens. */
  readonly seed: number;
  /** Texts before which the generation ends. */
  readonly stop: readonly string[];
  /** Tokens that end it. */
  readonly endTokens: ReadonlySet<number>;
}

export interface GeneratedText {
  readonly text: string;
  readonly tokens: number;
  /** Why it ended: a token or text that ends it, or the length asked for or that the model allows. */
  readonly ended: "stop" | "length";
}

/** Generates after a prompt's ids; `onText` gets the text in pieces that add up to the whole. */
export async function generateText(
  context: NetworkContext,
  tokenizer: LoadedTokenizer,
  prompt: Int32Array,
  options: TextOptions,
  onText: (piece: string) => void,
): Promise<GeneratedText> {
  const { maxLength } = context.model.sizes;
  if (prompt.length === 0 || prompt.length >= maxLength)
    throw new UserError({
      code: prompt.length === 0 ? "empty-prompt" : "prompt-too-long",
      message: `The prompt has ${prompt.length} tokens; the model needs one and reads at most ${maxLength}.`,
      remedy: prompt.length === 0 ? "Write a prompt." : "Shorten the prompt.",
    });
  const decoder = streamDecoder(tokenizer, { skipSpecialTokens: true });
  const stopper = stopAtTexts(options.stop, onText);
  const [ids = []] = await generate(context, [prompt], {
    maxNewTokens: options.maxNewTokens,
    stop: options.endTokens,
    choose: tokenChooser(options, uniformNumbers(options.seed)),
    onToken: (_, token) => stopper.push(decoder.push(token)),
  });
  if (!stopper.stopped()) stopper.push(decoder.flush());
  stopper.end();
  const full = ids.length === options.maxNewTokens || prompt.length + ids.length >= maxLength;
  return {
    text: stopper.text(),
    tokens: ids.length,
    ended: stopper.stopped() || !full ? "stop" : "length",
  };
}

/** A prompt's ids as training data begin: with the tokenizer's own first tokens, without its last. */
export function promptIds(tokenizer: LoadedTokenizer, prompt: string): Int32Array {
  const { ids } = tokenizer.encode(prompt);
  const end = tokenizer.special.eos?.id;
  // Some tokenizers put the end of sequence behind every text.
  const open = ids.length > 1 && ids.at(-1) === end ? ids.slice(0, -1) : ids;
  return Int32Array.from(open);
}

/** A prompt as the user's turn of a conversation, the assistant's turn opened. */
export function chatPromptIds(tokenizer: LoadedTokenizer, prompt: string, now: Date): Int32Array {
  const source = tokenizer.chatTemplates.get("default");
  if (source === undefined)
    throw new UserError({
      code: "no-chat-template",
      message: "The model's tokenizer has no chat template.",
      remedy: "Leave out --chat: the prompt is then taken as it is.",
    });
  const constants = Object.fromEntries(
    Object.entries(tokenizer.special).map(([role, { token }]) => [`${role}_token`, token] as const),
  );
  const template = compileChatTemplate(source, constants, now);
  const { text } = template.render([{ role: "user", content: prompt }], {
    place: { file: "prompt" },
    addGenerationPrompt: true,
  });
  return Int32Array.from(tokenizer.encode(text, { addSpecialTokens: false }).ids);
}

/** Tokens that end a text: the tokenizer's, and those that the model's files name. */
export async function endTokens(
  tokenizer: LoadedTokenizer,
  folder: string,
): Promise<ReadonlySet<number>> {
  const ids = new Set<number>();
  if (tokenizer.special.eos) ids.add(tokenizer.special.eos.id);
  for (const name of ["generation_config.json", "config.json"]) {
    const text = await readFile(join(folder, name), "utf8").catch(() => "");
    const json = parseJson(text);
    const named = isRecord(json) ? json["eos_token_id"] : undefined;
    for (const id of Array.isArray(named) ? named : [named])
      if (Number.isInteger(id)) ids.add(Number(id));
  }
  return ids;
}

/** Uniform numbers of 53 bits, a function of seed, sequence and position alone. */
export function uniformNumbers(seed: number): Uniform {
  const random = createRandom(kernelBytes("random"));
  const words = new Uint32Array(2);
  return (sequence, position) => {
    random.words(streamKey(seed, "generate", sequence), 2 * position, words);
    return ((at(words, 0) >>> 5) * 2 ** 26 + (at(words, 1) >>> 6)) / 2 ** 53;
  };
}

/** Passes text on up to the first stop text; what may be the beginning of one is held back. */
function stopAtTexts(stops: readonly string[], onText: (piece: string) => void) {
  let given = "";
  let held = "";
  let found = false;
  const give = (piece: string): void => {
    if (piece === "") return;
    given += piece;
    onText(piece);
  };
  return {
    /** False where the text is at its end. */
    push(piece: string): boolean {
      held += piece;
      const places = stops.map((stop) => held.indexOf(stop)).filter((place) => place >= 0);
      if (places.length > 0) {
        found = true;
        give(held.slice(0, Math.min(...places)));
        held = "";
        return false;
      }
      const keep = Math.max(0, ...stops.map((stop) => overlap(held, stop)));
      give(held.slice(0, held.length - keep));
      held = held.slice(held.length - keep);
      return true;
    },
    end(): void {
      give(held);
      held = "";
    },
    stopped: () => found,
    text: () => given,
  };
}

/** How many characters at the end of a text begin the stop text. */
function overlap(text: string, stop: string): number {
  for (let length = Math.min(text.length, stop.length - 1); length > 0; length--)
    if (stop.startsWith(text.slice(-length))) return length;
  return 0;
}
