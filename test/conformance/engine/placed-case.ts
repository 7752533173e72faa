/** @file A tiny network with a method at a place other than a linear layer, computed exactly, to try the method on. */
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { PlacedMethod } from "../../../src/engine/methods/placed.ts";
import type { ModelBatch } from "../../../src/engine/network/batch.ts";
import { createTrainer } from "../../../src/engine/network/training.ts";
import type { TrainBatch } from "../../../src/engine/network/training.ts";
import { scoresOf } from "../../../src/engine/network/inference.ts";
import type { OpenNetwork } from "../../../src/engine/session/open-network.ts";
import type { ModelSetup } from "../../../src/engine/session/set-up.ts";
import { randomNumbers } from "../../../src/engine/session/draw.ts";
import { createHostReference } from "../../support/host-reference.ts";
import { startedNetwork } from "../../support/started-network.ts";
import { tinyLlama, writeTinyModel } from "../../support/workspace.ts";
import type { Config } from "../../support/workspace.ts";
import { scratch } from "../../unit/engine/runs/scratch.ts";

export type Fields = Readonly<Record<string, unknown>>;

export interface PlacedNetwork extends OpenNetwork {
  readonly setup: ModelSetup;
  readonly train: TrainBatch;
  readonly batch: ModelBatch;
  /** Σ losses of the batch. */
  readonly loss: () => Promise<number>;
}

/** Models small enough for the interpreter. */
export const tinyModels: Readonly<Record<string, Config>> = {
  llama: { ...tinyLlama, hidden_size: 16, intermediate_size: 12, vocab_size: 40 },
  gpt2: {
    model_type: "gpt2",
    n_embd: 16,
    n_head: 2,
    n_layer: 2,
    n_positions: 32,
    vocab_size: 40,
  },
  bert: {
    model_type: "bert",
    hidden_size: 16,
    intermediate_size: 12,
    num_hidden_layers: 2,
    num_attention_heads: 2,
    vocab_size: 40,
    max_position_embeddings: 32,
    num_labels: 3,
  },
};

/** As a run starts it. */
export async function placedNetwork(
  t: TestContext,
  name: string,
  method: Fields | undefined,
): Promise<PlacedNetwork> {
  const folder = scratch(t);
  const task = name === "bert" ? "sequence-classification" : "causal-lm";
  const base = join(folder, "model");
  writeTinyModel(base, tinyModels[name] ?? {}, task);
  const { opened, setup, ...network } = await startedNetwork({
    ...{ model: base, task, fields: { method: method ?? "lora" }, withoutMethod: !method },
    backend: createHostReference(),
    tokenize: (words) => Int32Array.from(words, (_, index) => (7 * index) % 40),
  });
  await opened.source.close();
  const batch = batchOf(task === "causal-lm");
  return {
    ...network,
    setup,
    batch,
    train: createTrainer(network.context),
    async loss() {
      const { losses } = await scoresOf(network.context, batch);
      return losses.reduce((sum, loss) => sum + loss, 0);
    },
  };
}

/** Two sequences of six tokens. */
function batchOf(causal: boolean): ModelBatch {
  const [batch, length] = [2, 6];
  const places = Int32Array.from({ length: batch * length }, (_, place) => place);
  const rows = causal
    ? places.filter((place) => place % length < length - 1)
    : Int32Array.of(0, length);
  return {
    batch,
    length,
    ids: places.map((place) => (place * 11 + 3) % 40),
    positions: places.map((place) => place % length),
    types: new Int32Array(batch * length),
    ownPositions: false,
    rows,
    targets: { kind: "classes", labels: rows.map((row) => (row * 5) % (causal ? 40 : 2)) },
  };
}

/** The defaults at small sizes, then each field at values that differ from them. */
export function placedChoices({ name, config }: PlacedMethod): readonly Fields[] {
  const small: Readonly<Record<string, unknown>> = {
    r: 3,
    num_virtual_tokens: 3,
    encoder_hidden_size: 4,
    prompt_tuning_init_text: "words",
    token_indices: [3, 14, 25],
    num_experts: 3,
    reduction: 2,
    // Losses that a method adds are no part of what is measured.
    router_aux_loss_coef: 0,
  };
  const base = {
    type: name,
    ...Object.fromEntries(Object.entries(small).filter(([field]) => field in config)),
  };
  const changes = Object.entries(config).flatMap(([field, { shape, default: preset }]) => {
    const values =
      shape.kind === "bool"
        ? [true, false]
        : shape.kind === "oneOf"
          ? [...shape.literals.keys()]
          : [];
    return values.filter((value) => value !== preset).map((value) => ({ ...base, [field]: value }));
  });
  return [base, ...changes];
}

/** All trained tensors of methods at random: nothing is zero by chance. */
export function disturb({ setup, parameters }: PlacedNetwork): void {
  const random = randomNumbers(5);
  for (const { name, start } of setup.trained)
    if ("init" in start) random.ofStart(name, "test").normal(parameters.get(name).weight, 0, 0.5);
}
