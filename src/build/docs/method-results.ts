/** @file The table of what each row of the catalog scores on the sample, from the benchmark's last result. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { isRecord } from "../../shared/wire.ts";

const results = join(import.meta.dirname, "../../../test/bench/results/methods.json");

/** As Markdown; LoRA first, then by score. */
export async function methodResults(): Promise<string> {
  const report: unknown = JSON.parse(await readFile(results, "utf8"));
  const result = isRecord(report) && isRecord(report["result"]) ? report["result"] : {};
  const rows = (Array.isArray(result["rows"]) ? result["rows"] : []).filter(isRecord);
  const told = rows
    .toSorted((a, b) => rankOf(b) - rankOf(a))
    .map((row) => `| ${cells(row).join(" | ")} |`);
  return [
    `${String(result["steps"])} steps, ${String(result["examples"])} examples of \`eval.jsonl\`; at the learning rate of least loss among those tried.`,
    "",
    "| | trained parameters | learning rate | runs tried | score | loss | peak memory |",
    "|---|---|---|---|---|---|---|",
    ...told,
    "",
  ].join("\n");
}

type Row = Readonly<Record<string, unknown>>;

function rankOf(row: Row): number {
  return row["name"] === "lora" ? 2 : (scoreOf(row)?.mean ?? -1);
}

function cells(row: Row): readonly string[] {
  const name = `\`${String(row["name"])}\``;
  const score = scoreOf(row);
  if (!score) {
    const { refused } = row;
    return [name, "", "", "", typeof refused === "string" ? refused : "not tried", "", ""];
  }
  return [
    name,
    Number(row["parameters"]).toLocaleString("en-US"),
    Number(row["learningRate"]).toExponential(),
    String(row["runs"]),
    `${percent(score.mean)}${score.half === undefined ? "" : ` ± ${percent(score.half)}`}`,
    Number(row["loss"]).toFixed(3),
    `${Math.round(Number(row["memory"]) / 1e6)} MB`,
  ];
}

function scoreOf({ score }: Row): { readonly mean: number; readonly half?: number } | undefined {
  if (!isRecord(score)) return undefined;
  const { mean, interval } = score;
  if (typeof mean !== "number") return undefined;
  return isRecord(interval) ? { mean, half: Number(interval["high"]) - mean } : { mean };
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
