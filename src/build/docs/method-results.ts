/** @file The table of what each row of the catalog scores on the sample, from the benchmark's last result. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { isRecord } from "../../shared/wire.ts";

const results = join(import.meta.dirname, "../../../test/bench/results/methods.json");

/** As Markdown; LoRA first, then by score. */
export async function methodResults(): Promise<string> {
  const { result, rows, lora, all } = await benchmarked();
  const told = rows
    .toSorted((a, b) => rankOf(b) - rankOf(a))
    .map((row) => `| ${cells(row, lora).join(" | ")} |`);
  return [
    `${String(result["steps"])} steps of ${String(result["batch"])} examples, ${String(result["examples"])} examples of \`eval.jsonl\`; at the learning rate of least loss among those tried, of ${list(result["learningRates"])}. Intervals are of 95 %, over seeds. A step's cost is processor time by LoRA's. † marks scores outside LoRA's interval.`,
    "",
    `| | trained parameters | learning rate | runs of ${all} | score | loss | a step's cost | peak memory |`,
    "|---|---|---|---|---|---|---|---|",
    ...told,
    "",
    ...rows.flatMap(({ name, why }) =>
      typeof why === "string" ? [`- \`${String(name)}\`: ${why}`] : [],
    ),
    "",
  ].join("\n");
}

type Row = Readonly<Record<string, unknown>>;

interface Benchmarked {
  readonly result: Row;
  readonly rows: readonly Row[];
  readonly lora: Score | undefined;
  /** Runs of each row in a whole pass. */
  readonly all: number;
}

/** The benchmark's last result. */
export async function benchmarked(): Promise<Benchmarked> {
  const report: unknown = JSON.parse(await readFile(results, "utf8"));
  const result = isRecord(report) && isRecord(report["result"]) ? report["result"] : {};
  const recorded = (Array.isArray(result["rows"]) ? result["rows"] : []).filter(isRecord);
  const reference = recorded.find(({ name }) => name === "lora");
  const lora = reference && scoreOf(reference);
  // A reason is for what is otherwise.
  const rows = recorded.map(({ why, ...row }) => {
    const score = scoreOf(row);
    return score && isOutside(score, lora) ? { ...row, why } : row;
  });
  const [rates, seeds] = ["learningRates", "seeds"].map((name) => count(result[name]));
  return { result, rows, lora, all: (rates ?? 0) * (seeds ?? 0) };
}

/** A row's result in a sentence or two; `all` is the number of runs that a whole pass has of it. */
export function inWords(row: Row, all: number): string {
  const score = scoreOf(row);
  const { why, step, runs } = row;
  const part = Number(runs) < all ? ` (so far: ${Number(runs)} of ${all} runs)` : "";
  const cost = typeof step === "number" ? `, a step at ${step.toFixed(2)} of LoRA's` : "";
  return [
    `${scoreWords(score)} of answers right at learning rate ${Number(row["learningRate"])}, ${Number(row["parameters"]).toLocaleString("en-US")} parameters${cost}${part}`,
    ...(typeof why === "string" ? [why] : []),
  ].join(". ");
}

function rankOf(row: Row): number {
  return row["name"] === "lora" ? 2 : (scoreOf(row)?.mean ?? -1);
}

function cells(row: Row, lora: Score | undefined): readonly string[] {
  const name = `\`${String(row["name"])}\``;
  const score = scoreOf(row);
  if (!score) {
    const { refused } = row;
    return [name, "", "", "", typeof refused === "string" ? refused : "not tried", "", "", ""];
  }
  const { memory, step } = row;
  return [
    name,
    Number(row["parameters"]).toLocaleString("en-US"),
    String(row["learningRate"]),
    String(row["runs"]),
    `${scoreWords(score)}${isOutside(score, lora) ? " †" : ""}`,
    Number(row["loss"]).toFixed(3),
    typeof step === "number" ? step.toFixed(2) : "",
    typeof memory === "number" ? `${Math.round(memory / 1e6)} MB` : "",
  ];
}

interface Score {
  readonly mean: number;
  /** Half of the interval, where there are several seeds. */
  readonly half?: number;
}

function scoreOf({ score }: Row): Score | undefined {
  if (!isRecord(score)) return undefined;
  const { mean, interval } = score;
  if (typeof mean !== "number") return undefined;
  return isRecord(interval) ? { mean, half: Number(interval["high"]) - mean } : { mean };
}

function isOutside({ mean }: Score, lora: Score | undefined): boolean {
  return lora?.half !== undefined && Math.abs(mean - lora.mean) > lora.half;
}

function scoreWords(score: Score | undefined): string {
  if (!score) return "";
  const { mean, half } = score;
  return half === undefined ? `${percent(mean)} (one seed)` : `${percent(mean)} ± ${percent(half)}`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

function count(values: unknown): number {
  return Array.isArray(values) ? values.length : 0;
}

function list(values: unknown): string {
  return Array.isArray(values) ? values.join(", ") : "";
}
