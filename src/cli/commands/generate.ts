/** @file `spectune generate`: text from a model, with and without its adapter. */
import type { LoadedTokenizer } from "../../engine/data/tokenizer/load-tokenizer.ts";
import { loadTokenizer } from "../../engine/data/tokenizer/load-tokenizer.ts";
import type { NetworkContext } from "../../engine/network/context.ts";
import type { GeneratedText, TextOptions } from "../../engine/session/generate-text.ts";
import {
  chatPromptIds,
  endTokens,
  generateText,
  promptIds,
} from "../../engine/session/generate-text.ts";
import type { OpenInference } from "../../engine/session/open-for-inference.ts";
import { UserError } from "../../shared/errors.ts";
import type { Arguments, Command, Console } from "../define.ts";
import { jsonOption } from "../define.ts";
import { chosenModel, modelOptions, numberOption } from "../model-options.ts";
import { withModel } from "../with-model.ts";

export const generateCommand: Command = {
  name: "generate",
  summary: "Continue a prompt, token by token, with a run's model or any other.",
  usage: "(RUN | FOLDER | HUB-ID | --model MODEL [--adapter DIR]) --prompt TEXT [--compare]",
  positionals: { min: 0, max: 1 },
  options: {
    ...modelOptions,
    prompt: { type: "string", value: "TEXT", doc: "What is continued." },
    chat: { type: "boolean", doc: "Take the prompt as a user's message, by the chat template." },
    compare: { type: "boolean", doc: "Also without the adapter." },
    "max-new-tokens": { type: "string", value: "N", doc: "Longest continuation (200)." },
    temperature: {
      type: "string",
      value: "T",
      doc: "Above 0 tokens are drawn; 0, the default, takes the most likely.",
    },
    "top-k": { type: "string", value: "K", doc: "Draw among the K most likely tokens." },
    "top-p": { type: "string", value: "P", doc: "Draw among the likeliest of a share P." },
    seed: { type: "string", value: "N", doc: "Seed of the draws (0)." },
    stop: {
      type: "string",
      multiple: true,
      value: "TEXT",
      doc: "End before this text; may be given again.",
    },
    json: jsonOption,
  },
  async run(args, console) {
    const prompt = args.text("prompt");
    if (prompt === undefined)
      throw new UserError({
        code: "wrong-arguments",
        message: "spectune generate needs --prompt.",
        remedy: `Usage: spectune generate ${generateCommand.usage}`,
      });
    const options = textOptions(args);
    const chosen = await chosenModel(args, console, []);
    if (chosen.model.task !== "causal-lm")
      throw new UserError({
        code: "unsupported-task",
        message: `A model for ${chosen.model.task} does not generate text.`,
        remedy: "`spectune eval` measures it.",
      });
    await withModel(chosen, console, async (open) => {
      const { folder } = open.opened.resolved;
      const tokenizer = await loadTokenizer(folder);
      const ids = args.flag("chat")
        ? chatPromptIds(tokenizer, prompt, new Date())
        : promptIds(tokenizer, prompt);
      const settings = { ...options, endTokens: await endTokens(tokenizer, folder) };
      const shown = args.flag("json") ? { ...console, out: () => undefined } : console;
      const made = await texts(args, open, tokenizer, ids, settings, shown);
      const { maxLength } = open.context.model.sizes;
      if (ids.length + made.completion.tokens >= maxLength)
        console.err(`The text ends where the model does: it reads at most ${maxLength} tokens.\n`);
      if (args.flag("json")) console.out(`${JSON.stringify({ prompt, ...made })}\n`);
    });
    return 0;
  },
};

interface Texts {
  readonly completion: GeneratedText;
  /** Of the base alone. */
  readonly without?: GeneratedText;
}

async function texts(
  args: Arguments,
  open: OpenInference,
  tokenizer: LoadedTokenizer,
  prompt: Int32Array,
  options: TextOptions,
  console: Console,
): Promise<Texts> {
  const generateIn = async (context: NetworkContext): Promise<GeneratedText> => {
    const text = await generateText(context, tokenizer, prompt, options, (piece) => {
      console.out(piece);
    });
    console.out("\n");
    return text;
  };
  if (!args.flag("compare")) return { completion: await generateIn(open.context) };
  console.out("── without the adapter ──\n");
  const without = await generateIn(await open.plain());
  console.out("── with the adapter ──\n");
  return { without, completion: await generateIn(open.context) };
}

function textOptions(args: Arguments): Omit<TextOptions, "endTokens"> {
  const most = 2 ** 31 - 1;
  return {
    maxNewTokens: numberOption(args, "max-new-tokens", { min: 1, max: 65_536, whole: true }) ?? 200,
    temperature: numberOption(args, "temperature", { min: 0, max: 1000, whole: false }) ?? 0,
    topK: numberOption(args, "top-k", { min: 1, max: most, whole: true }),
    topP: numberOption(args, "top-p", { min: 0, max: 1, whole: false }),
    seed: numberOption(args, "seed", { min: 0, max: most, whole: true }) ?? 0,
    stop: stopTexts(args),
  };
}

function stopTexts(args: Arguments): readonly string[] {
  const texts = args.texts("stop");
  if (!texts.includes("")) return texts;
  throw new UserError({
    code: "wrong-arguments",
    message: "--stop takes the text that ends the answer, and nothing is given.",
    remedy: "Leave --stop out, or give it a text.",
  });
}
