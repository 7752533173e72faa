/** @file `spectune quickstart`: three ways to tune the sample's model, and one table. */
import { spawn } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { UserError, invariant } from "../../shared/errors.ts";
import { isRecord } from "../../shared/wire.ts";
import type { Command, Console } from "../define.ts";
import { bytes, count, duration, percent, table } from "../format.ts";

/** The sample beside the sources, and beside a bundle. */
const places = ["../../../media/sample", "../../media/sample"];

const experiments = [
  { name: "full fine-tuning", file: "full.peft.yaml" },
  { name: "LoRA", file: "lora.peft.yaml" },
  { name: "QLoRA (NF4)", file: "qlora.peft.yaml" },
] as const;

export const quickstartCommand: Command = {
  name: "quickstart",
  summary: "Tune the sample model by full fine-tuning, LoRA and QLoRA, and compare.",
  usage: "",
  positionals: { min: 0, max: 0 },
  options: {},
  async run(_args, console) {
    const sample = places
      .map((place) => join(import.meta.dirname, place))
      .find((place) => existsSync(place));
    if (sample === undefined)
      throw new UserError({
        code: "no-sample",
        message: "The sample workspace is not there.",
        remedy: "Install Spectune again.",
      });
    const rows: (readonly string[])[] = [];
    const outputs: string[] = [];
    for (const { name, file } of experiments) {
      console.err(`\n── ${name}: ${file}\n`);
      const started = performance.now();
      const result = await runInProcess(join(sample, file), console);
      const seconds = (performance.now() - started) / 1000;
      const output =
        [join(result.runDir, "adapter"), join(result.runDir, "merged")].find((folder) =>
          existsSync(folder),
        ) ?? result.runDir;
      rows.push([
        name,
        percent(result.before),
        percent(result.after),
        count(result.trainable),
        bytes(folderBytes(output)),
        bytes(result.memory),
        duration(seconds),
      ]);
      outputs.push(`${name.padEnd(18)} ${output}`);
    }
    console.out(
      `\n${table(
        [
          { title: "method" },
          { title: "score before", right: true },
          { title: "after", right: true },
          { title: "trainable", right: true },
          { title: "saved", right: true },
          { title: "peak memory", right: true },
          { title: "time", right: true },
        ],
        rows,
      )}\nScore: share of ${"eval.jsonl"}'s completions that are generated exactly.\n\nWhat came out:\n${outputs.map((line) => `  ${line}`).join("\n")}\n`,
    );
    return 0;
  },
};

interface Outcome {
  readonly runDir: string;
  readonly before: number;
  readonly after: number;
  readonly trainable: number;
  readonly memory: number;
}

/** Runs a file in a process of its own, so that its peak memory is its own. */
async function runInProcess(file: string, console: Console): Promise<Outcome> {
  const entry = process.argv[1];
  invariant(entry !== undefined, "the process has no entry point");
  const child = spawn(process.execPath, [entry, "run", file, "--json"], {
    cwd: console.cwd,
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on("error", reject).on("close", resolve);
  });
  const line: unknown = code === 0 ? JSON.parse(output.trim().split("\n").at(-1) ?? "") : undefined;
  if (!isRecord(line))
    throw new UserError({
      code: "quickstart-failed",
      message: `${file} ended with code ${String(code)}.`,
      remedy: "The lines above say why.",
    });
  const score = (name: string): number => {
    const scores = line[name];
    return isRecord(scores) && typeof scores["score"] === "number" ? scores["score"] : NaN;
  };
  return {
    runDir: String(line["runDir"]),
    before: score("evalBefore"),
    after: score("evalAfter"),
    trainable: Number(line["trainableParameters"]),
    memory: Number(line["peakMemoryBytes"]),
  };
}

function folderBytes(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}
