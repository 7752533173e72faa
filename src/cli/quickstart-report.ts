/** @file What the quickstart says: the task, each measurement as it comes, and the table in the end. */
import { basename, dirname, join, relative } from "node:path";
import { runLayout, runsFolder } from "../engine/runs/run-folder.ts";
import type { Evaluation } from "../shared/protocol.ts";
import { bytes, count, duration, figure, percent, table } from "./format.ts";

export interface Example {
  readonly prompt: string;
  readonly completion: string;
}

/** A measurement before the first step and after the last. */
export interface Change<T = number> {
  readonly before: T;
  readonly after: T;
}

/** One way to tune, and what it came to. */
export interface TunedModel {
  readonly name: string;
  readonly seconds: number;
  readonly runFolder: string;
  /** The adapter, or the whole model where there is none. */
  readonly saved: string;
  readonly savedBytes: number;
  readonly trainable: number;
  readonly memory: number;
  /** Share of the answers to eval.jsonl that are right. */
  readonly score: Change;
  /** Loss on general text. */
  readonly general: Change;
  /** Share of right answers to test.jsonl. */
  readonly testScore: number;
  /** To the first prompt of eval.jsonl. */
  readonly answer: Change<string>;
}

/** The user's surroundings: paths are shown as seen from `cwd`, commands begin with `command`. */
export interface Surroundings {
  readonly sample: string;
  readonly cwd: string;
  /** Where commands look for runs that are given by name. */
  readonly spectuneFolder: string;
  readonly command: string;
  /** The first line of eval.jsonl. */
  readonly example: Example | undefined;
}

/** Before the first run: what the model is to learn. */
export function introduction(example: Example | undefined): string {
  const shown = example === undefined ? "" : `\n  ${example.prompt}\n  →${example.completion}\n\n`;
  return `The sample's small language model has read stories with questions and answers in whole sentences.
Here it learns to answer several questions at once, in the order in which they are asked:
${shown}in three ways, one after the other. Ctrl-C stops; nothing is lost.
`;
}

/** One measurement, as it comes. */
export function evaluationText({ split, moment, metrics, examples }: Evaluation): string {
  const { exact_match: score, loss = NaN } = metrics;
  if (split === "general") return `${moment}: loss ${figure(loss)} on general text\n`;
  if (score === undefined) return `${moment}: loss ${figure(loss)} on ${split}.jsonl\n`;
  return `${moment}: ${percent(score)} of the ${count(examples)} answers of ${split}.jsonl are right\n`;
}

const columns = [
  { title: "method" },
  { title: "trainable", right: true },
  { title: "score", right: true },
  { title: "test", right: true },
  { title: "general loss", right: true },
  { title: "saved", right: true },
  { title: "peak memory", right: true },
  { title: "time", right: true },
] as const;

/** The table, what its columns mean, an example, where everything lies, and what to try next. */
export function quickstartReport(tuned: readonly TunedModel[], around: Surroundings): string {
  return [
    "",
    table(columns, tuned.map(row)),
    legend,
    ...answers(tuned, around),
    "What came out:",
    ...tuned.map(({ name, saved }) => `  ${name.padEnd(nameWidth)}  ${shortPath(saved, around)}`),
    "",
    "What to try next:",
    ...nextCommands(tuned, around).map((line) => `  ${line}`),
    "",
  ].join("\n");
}

const nameWidth = 16;

const legend = `score         share of eval.jsonl's answers that are generated exactly, before → after tuning
test          the same for test.jsonl, which is read once, after the last step
general loss  on text like that which the model was pre-trained on: what it rises by is forgotten
saved         the adapter; of full fine-tuning the whole model
`;

function row(model: TunedModel): readonly string[] {
  const { name, trainable, score, testScore, general, savedBytes, memory, seconds } = model;
  return [
    name,
    count(trainable),
    `${percent(score.before)} → ${percent(score.after)}`,
    percent(testScore),
    `${general.before.toFixed(3)} → ${general.after.toFixed(3)}`,
    bytes(savedBytes),
    bytes(memory),
    duration(seconds),
  ];
}

/** The first prompt with the answer that is wanted and those that were given. */
function answers(
  [first, ...others]: readonly TunedModel[],
  { example }: Surroundings,
): readonly string[] {
  if (first === undefined || example === undefined) return [];
  const line = (who: string, text: string): string => `  ${who.padEnd(nameWidth)}  ${text.trim()}`;
  return [
    `For example: ${example.prompt}`,
    line("wanted", example.completion),
    line("before", first.answer.before),
    ...[first, ...others].map(({ name, answer }) => line(name, answer.after)),
    "",
  ];
}

/** Each can be copied as it is. */
function nextCommands(tuned: readonly TunedModel[], around: Surroundings): readonly string[] {
  const { command, sample, example } = around;
  const adapters = tuned.filter(({ saved }) => basename(saved) === runLayout.adapter);
  const [run] = adapters;
  if (run === undefined) return [];
  const prompt = example?.prompt ?? "";
  const path = (to: string): string => quoted(shortPath(to, around));
  return [
    "generate with and without the adapter:",
    `  ${command} generate ${runName(run.runFolder, around)} --compare --max-new-tokens 32 --prompt ${quoted(prompt)}`,
    "put the two adapters' runs side by side:",
    `  ${command} compare ${adapters.map(({ runFolder }) => runName(runFolder, around)).join(" ")}`,
    "change the experiment, see what it will cost, run it:",
    `  ${command} plan ${path(join(sample, "lora.peft.yaml"))} --set method.r=8`,
    `  ${command} run ${path(join(sample, "lora.peft.yaml"))} --set method.r=8`,
  ];
}

/** What is said when the user stops it. */
export function stoppedText(runFolder: string | undefined, around: Surroundings): string {
  const kept =
    runFolder === undefined
      ? "Stopped."
      : `Stopped; what was trained so far is kept. To go on with it:\n  ${around.command} run --resume ${runName(runFolder, around)}`;
  return `${kept}\nThe quickstart can be started again at any time; it begins anew.`;
}

/** How a command takes the run: by name where it looks for it, else by its path. */
function runName(runFolder: string, { spectuneFolder }: Surroundings): string {
  const found = dirname(runFolder) === runsFolder(spectuneFolder);
  return quoted(found ? basename(runFolder) : runFolder);
}

/** As seen from the working folder where it lies below it. */
function shortPath(path: string, { cwd }: Pick<Surroundings, "cwd">): string {
  const seen = relative(cwd, path);
  return seen === "" || seen.startsWith("..") ? path : seen;
}

/** For a shell, where it needs to be: none of what is quoted here holds a quote. */
function quoted(text: string): string {
  return /^[\w./\\:=-]+$/.test(text) ? text : `"${text}"`;
}
