/** @file Every quantizer of the catalog from the command to a folder that is measured, on every kind of model. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { quantizers } from "../../src/engine/catalog.ts";
import { isRecord } from "../../src/shared/wire.ts";
import { lastLine, spectune } from "../support/command-line.ts";
import type { Config } from "../support/workspace.ts";
import { makeWorkspace, tinyBert, tinyLlama, writeTinyModel } from "../support/workspace.ts";

const all = quantizers.map(({ name }) => name);

/** One layer: what is of several layers, the models below with two of them show. */
const shallowLlama: Config = { ...tinyLlama, num_hidden_layers: 1 };

/** Grouped heads, biases, norms of queries, Conv1D's transposed matrices, norms that no site reads alone. */
const models: Readonly<Record<string, Config>> = {
  llama: tinyLlama,
  qwen2: { ...shallowLlama, model_type: "qwen2", tie_word_embeddings: false },
  qwen3: { ...shallowLlama, model_type: "qwen3", head_dim: 8 },
  mistral: { ...shallowLlama, model_type: "mistral", sliding_window: null },
  gpt2: { model_type: "gpt2", n_embd: 32, n_layer: 2, n_head: 4, vocab_size: 264, n_positions: 64 },
  bert: { ...tinyBert, vocab_size: 264, max_position_embeddings: 64 },
  roberta: {
    ...{ ...tinyBert, model_type: "roberta", num_hidden_layers: 1 },
    ...{ vocab_size: 264, max_position_embeddings: 66 },
  },
};

/** What a kind of model lacks, by quantizer. */
const lacks: Readonly<Record<string, Readonly<Record<string, RegExp>>>> = {
  gpt2: { rsq: /rotat/ },
  ...Object.fromEntries(
    ["bert", "roberta"].map((name) => [
      name,
      {
        awq: /every norm feeds a residual sum/,
        smoothquant_plus: /every norm feeds a residual sum/,
        os_plus: /every norm feeds a residual sum/,
        rsq: /rotat/,
        gwq: /no next token/,
      },
    ]),
  ),
};

for (const [model, config] of Object.entries(models))
  describe(model, () => {
    it("goes through every quantizer that it has the structure for", async (t) => {
      const folder = makeWorkspace(t);
      const task =
        config["model_type"] === "bert" || config["model_type"] === "roberta"
          ? "sequence-classification"
          : "causal-lm";
      writeTinyModel(join(folder, "own"), config, task);
      writeFileSync(join(folder, "text.jsonl"), textRows(64));
      const outcome = await spectune(
        folder,
        ...["quantize", "own", "--task", task, "--compare", all.join(), "--group", "16"],
        ...["--calibration", "text.jsonl", "--samples", "4", "--length", "32", "--json"],
      );
      assert.equal(outcome.code, 0, outcome.err);
      const { rows } = lastLine(outcome);
      assert.ok(Array.isArray(rows));
      for (const [index, name] of all.entries()) {
        const row: unknown = rows[index + 1];
        assert.ok(isRecord(row) && row["label"] === name);
        const lack = lacks[model]?.[name];
        if (lack) {
          assert.match(String(row["failed"]), lack, name);
          continue;
        }
        assert.equal(row["failed"], undefined, name);
        // Factors of a rank beyond such small matrices take more than the matrices.
        assert.ok(Number(row["bitsPerWeight"]) > 1 && Number(row["outputError"]) < 1, name);
        assert.ok(Number(row["peakBytes"]) > 0);
        if (task !== "causal-lm") continue;
        assert.ok(isRecord(row["perplexity"]) && Number(row["perplexity"]["value"]) > 1, name);
      }
    });
  });

function textRows(count: number): string {
  return Array.from({ length: count }, (_, row) => {
    const text = `${row}. ${["Ann", "Bob", "Cyd"][row % 3]} waits for the bus and reads.`;
    return `${JSON.stringify({ text, label: row % 2 })}\n`;
  }).join("");
}
