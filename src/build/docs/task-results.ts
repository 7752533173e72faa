/** @file What each row of the catalog scored on the sample's task, for the catalog itself, from the benchmark's last result. */
import { isRecord } from "../../shared/wire.ts";
import { benchmarked, inWords } from "./method-results.ts";

/** `src/engine/catalog-results.ts`. */
export async function taskResults(): Promise<string> {
  const { rows, all } = await benchmarked();
  const lines = rows.flatMap((row) => {
    const { score } = row;
    if (!isRecord(score)) return [];
    const kind = String(row["kind"]).replace("_", "-");
    return [
      `  ${JSON.stringify(`${kind} ${String(row["name"])}`)}: ${JSON.stringify(inWords(row, all))},`,
    ];
  });
  return [
    "/** @file What rows of the catalog scored on the sample's task beside LoRA, in words, as the benchmark of methods recorded it. */",
    "",
    "/** By kind and name: `method lora`. */",
    "// Written by `npm run docs` from test/bench/results/methods.json.",
    "// prettier-ignore",
    "export const taskResults: Readonly<Record<string, string>> = {",
    ...lines.toSorted(),
    "};",
    "",
  ].join("\n");
}
