/** @file Small config.json of each architecture, for tests to vary. */

export type Config = Readonly<Record<string, unknown>>;

export const llama: Config = {
  model_type: "llama",
  hidden_size: 16,
  intermediate_size: 24,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  vocab_size: 20,
};

export const gpt2: Config = {
  model_type: "gpt2",
  n_embd: 16,
  n_layer: 2,
  n_head: 4,
  n_positions: 32,
  vocab_size: 20,
};

export const bert: Config = {
  model_type: "bert",
  hidden_size: 16,
  intermediate_size: 24,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  max_position_embeddings: 32,
  vocab_size: 20,
};

export const roberta: Config = { ...bert, model_type: "roberta", type_vocab_size: 1 };
