/** @file The sample's base model has learned its world, and the sample's README says what is so. */
import assert from "node:assert/strict";
import { readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { loadTokenizer } from "../../src/engine/data/tokenizer/load-tokenizer.ts";
import { isRecord } from "../../src/shared/wire.ts";
import { lastLine, spectune } from "../support/command-line.ts";

const root = join(import.meta.dirname, "../..");
const sample = join(root, "media/sample");
const readme = readFileSync(join(sample, "README.md"), "utf8");

/** The lines of a text of the sample. */
function linesOf(name: string): readonly string[] {
  return readFileSync(join(sample, name), "utf8").trimEnd().split("\n");
}

/** The number that a text, the sample's README unless told otherwise, gives in a place; thousands are set apart by commas. */
function told(place: RegExp, text = readme): number {
  return Number(place.exec(text)?.[1]?.replaceAll(",", ""));
}

/** Perplexity of the best model that knows only how often each token of this very text occurs. */
async function unigramPerplexity(lines: readonly string[]): Promise<number> {
  const tokenizer = await loadTokenizer(join(sample, "base"));
  const counts = new Map<number, number>();
  const end = tokenizer.special.eos?.id ?? 0;
  for (const line of lines)
    for (const id of [...tokenizer.encode(line).ids, end])
      counts.set(id, (counts.get(id) ?? 0) + 1);
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  const entropy = [...counts.values()].reduce(
    (sum, count) => sum - (count / total) * Math.log(count / total),
    0,
  );
  return Math.exp(entropy);
}

describe("the sample's base", () => {
  it("predicts text that it has not read far better than the best unigram model", async () => {
    const args = ["--model", "base", "--data", "data/general.txt", "--metrics", "loss,perplexity"];
    const outcome = await spectune(sample, "eval", ...args, "--json");
    assert.equal(outcome.code, 0, outcome.err);
    const { metrics, examples } = lastLine(outcome);
    assert.equal(examples, linesOf("data/general.txt").length);
    const perplexity = isRecord(metrics) ? Number(metrics["perplexity"]) : NaN;
    const unigram = await unigramPerplexity(linesOf("data/general.txt"));
    assert.ok(perplexity < unigram / 10, `${perplexity} and ${unigram}`);
    // The last digit that the README gives may fall otherwise on another machine.
    assert.ok(Math.abs(told(/its perplexity is (\d+\.\d+)/) - perplexity) < 0.006, `${perplexity}`);
    assert.ok(Math.abs(told(/token occurs is (\d+\.\d+)/) - unigram) < 0.06, `${unigram}`);
  });

  it("is what a plain model folder holds, with weights of at most 8 MB", () => {
    const files = readdirSync(join(sample, "base"));
    assert.deepEqual(
      files.toSorted(),
      ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"].toSorted(),
    );
    assert.ok(statSync(join(sample, "base/model.safetensors")).size <= 8e6);
  });
});

describe("the sample's README", () => {
  it("counts the files' lines", () => {
    for (const name of ["train", "eval", "test"])
      assert.equal(
        told(new RegExp(`data/${name}\\.jsonl\` \\| ([\\d,]+)`)),
        linesOf(`data/${name}.jsonl`).length,
      );
    assert.equal(told(/general\.txt` \| ([\d,]+)/), linesOf("data/general.txt").length);
  });

  it("names each file there is", () => {
    const entries = [
      ...readdirSync(sample).filter((name) => name.endsWith(".yaml")),
      ...readdirSync(join(sample, "data")).map((name) => `data/${name}`),
    ];
    for (const name of entries) assert.match(readme, new RegExp(`^\\| \`${name}\` \\|`, "m"));
  });

  it("and the experiments tell the parameters that are planned, as does the table of results", async () => {
    const table = readFileSync(join(root, "README.md"), "utf8");
    for (const [file, row] of [
      ["full.peft.yaml", /^full fine-tuning +([\d,]+) /m],
      ["lora.peft.yaml", /^LoRA +([\d,]+) /m],
      ["qlora.peft.yaml", /^QLoRA \(NF4\) +([\d,]+) /m],
    ] as const) {
      const outcome = await spectune(sample, "plan", file, "--json");
      assert.equal(outcome.code, 0, outcome.err);
      assert.equal(outcome.err, "");
      const { trainableParameters } = lastLine(outcome);
      assert.equal(trainableParameters, told(row, table));
      const parameters = told(/a Llama of ([\d,]+) parameters/);
      // Of the model with the adapter, as peft and the plan count.
      const share = (100 * trainableParameters) / (parameters + trainableParameters);
      const said = /([\d.]+) % of/.exec(readFileSync(join(sample, file), "utf8"))?.[1];
      assert.equal(said, file === "lora.peft.yaml" ? share.toFixed(1) : undefined);
    }
  });
});
