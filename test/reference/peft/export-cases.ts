/** @file Adapters that are trained here and shown to the real peft: what their names and patterns must get right. */
import type { FixtureName } from "../models/fixture.ts";

export interface ExportCase {
  readonly base: FixtureName;
  /** As an experiment file has it. */
  readonly method: object | string;
  /** How the base is stored; float32 where not given. */
  readonly storage?: "bfloat16";
  readonly quantization?: object;
  /** Whether no merged model can hold it. */
  readonly apart?: true;
  /** Whether the adapter's file holds what it loads to but for rounding, so that a second one may differ in last bits. */
  readonly rounds?: true;
  /** Whether LoRA is asked for, whatever the method is. */
  readonly plain?: boolean;
}

const prompt = { type: "prompt_tuning", num_virtual_tokens: 3 };
const prefix = { type: "prefix_tuning", num_virtual_tokens: 3 };

const tokens = { type: "trainable_tokens", token_indices: [5, 36, 19, 9, 13, 33] };

const lora = { type: "lora", r: 4, alpha: 8 };

const vectors = { type: "vblora", r: 3, num_vectors: 10, vector_length: 12, topk: 2 };

export const exportCases: Readonly<Record<string, ExportCase>> = {
  llama: { base: "llama", method: lora },
  gpt2: { base: "gpt2", method: lora },
  "gpt2-saved-and-biases": {
    base: "gpt2",
    method: { ...lora, target_modules: ["c_attn"], modules_to_save: ["c_fc", "wte"], bias: "all" },
  },
  bert: { base: "bert-classes", method: { ...lora, target_modules: ["query", "value"] } },
  "bert-biases": {
    base: "bert-classes",
    method: { ...lora, target_modules: ["query", "value"], bias: "all" },
  },
  "bert-pairs-regression": { base: "bert-pairs-regression", method: lora },
  roberta: { base: "roberta-classes", method: lora },
  "patterns-rslora": {
    base: "llama",
    method: {
      ...lora,
      use_rslora: true,
      rank_pattern: { k_proj: 2, "layers.1.mlp.up_proj": 6 },
      alpha_pattern: { "layers.0.self_attn.*": 20 },
    },
  },
  "two-scalings": {
    base: "llama",
    method: [
      { ...lora, target_modules: ["q_proj", "v_proj"] },
      { type: "lora", r: 9, alpha: 6, use_rslora: true, target_modules: ["up_proj"] },
    ],
  },
  "some-layers": {
    base: "llama",
    method: { ...lora, exclude_modules: ["layers.1.mlp.down_proj"], layers_to_transform: [1] },
  },
  "bias-all": {
    base: "llama-biases",
    method: { ...lora, target_modules: ["q_proj", "up_proj"], bias: "all" },
  },
  "bias-lora-only": {
    base: "llama-biases",
    method: { ...lora, target_modules: ["q_proj", "up_proj"], bias: "lora_only" },
  },
  "bias-all-qwen2": { base: "qwen2", method: { ...lora, target_modules: ["o_proj"], bias: "all" } },
  qwen3: { base: "qwen3", method: lora },
  mistral: { base: "mistral", method: lora },
  "saved-norm": { base: "llama", method: { ...lora, modules_to_save: ["norm"] } },
  "saved-head": { base: "llama", method: { ...lora, modules_to_save: ["lm_head"] } },
  "saved-head-tied": { base: "llama-tied", method: { ...lora, modules_to_save: ["lm_head"] } },
  "saved-embedding-tied": {
    base: "llama-tied",
    method: { ...lora, modules_to_save: ["embed_tokens"] },
  },
  "saved-both-tied": {
    base: "llama-tied",
    method: { ...lora, modules_to_save: ["embed_tokens", "lm_head"] },
  },
  "target-head": { base: "llama", method: { ...lora, target_modules: ["q_proj", "lm_head"] } },
  "target-head-tied": {
    base: "llama-tied",
    method: { ...lora, target_modules: ["q_proj", "lm_head"] },
  },
  "16-bit-base": { base: "llama", storage: "bfloat16", method: lora },
  "nf4-base": { base: "llama", quantization: { type: "nf4" }, method: lora },
  dora: { base: "llama", method: { type: "dora", r: 4, alpha: 8 } },
  vera: { base: "llama", method: { type: "vera", r: 8 } },
  "vera-gpt2": { base: "gpt2", method: { type: "vera", r: 8 } },
  vblora: { base: "llama", method: vectors },
  "vblora-gpt2": { base: "gpt2", method: vectors },
  "vblora-chosen": {
    base: "llama",
    method: { ...vectors, topk: 3, save_only_topk_weights: true },
    rounds: true,
  },
  // peft takes widths that the length divides alone.
  "vblora-cut": { base: "llama", method: { ...vectors, vector_length: 20 } },
  // No file of peft has two kinds of modules: both leave as LoRA.
  "vera-beside-lora": {
    base: "llama",
    method: [
      { type: "vera", r: 8, target_modules: ["q_proj", "up_proj"] },
      { ...lora, target_modules: ["v_proj"] },
    ],
  },
  "vera-as-lora": { base: "llama", method: { type: "vera", r: 8 }, plain: true },
  randlora: { base: "llama", method: { type: "randlora", r: 10, alpha: 20 } },
  miss: { base: "llama", method: { type: "miss", r: 10 } },
  "miss-bat": { base: "llama", method: { type: "miss", r: 4, mode: "bat" } },
  "miss-mini": { base: "llama", method: { type: "miss", r: 10, mini_r: 4 } },
  // peft takes outputs that mini_r divides alone.
  "miss-mini-cut": { base: "llama", method: { type: "miss", r: 10, mini_r: 7 } },
  lokr: { base: "llama", method: { type: "lokr", r: 2, alpha: 4 } },
  "lokr-patterns": {
    base: "llama",
    method: {
      ...{ type: "lokr", r: 2, alpha: 4 },
      rank_pattern: { k_proj: 1, "layers.1.mlp.up_proj": 3 },
      alpha_pattern: { "layers.0.self_attn.*": 6 },
    },
  },
  "lokr-whole": { base: "llama", method: { type: "lokr", r: 8 } },
  hira: { base: "llama", method: { type: "hira", r: 4 } },
  "hira-gpt2": { base: "gpt2", method: { type: "hira", r: 4 } },
  oft: { base: "llama", method: { type: "oft", block_size: 12 } },
  "oft-exact": {
    base: "llama",
    method: { type: "oft", block_size: 10, use_cayley_neumann: false },
  },
  "oft-constrained": {
    base: "llama",
    method: { type: "oft", block_size: 8, block_share: true, coft: true, eps: 0.3 },
  },
  ia3: { base: "llama", method: { type: "ia3" } },
  "ia3-gpt2": { base: "gpt2", method: { type: "ia3" } },
  adalora: { base: "llama", method: { type: "adalora", r: 6 } },
  increlora: { base: "llama", method: { type: "increlora", max_r: 4 } },
  nola: { base: "llama", method: { type: "nola", r: 4, basis: 6 } },
  paca: { base: "llama", method: { type: "paca", r: 4 } },
  sora: { base: "llama", method: { type: "sora", r: 4 } },
  sharelora: { base: "llama", method: { ...lora, sharing: "sharelora" } },
  prompt: { base: "llama", method: prompt, apart: true },
  "prompt-gpt2": { base: "gpt2", method: prompt, apart: true },
  "prompt-bert": { base: "bert-classes", method: prompt, apart: true },
  "prompt-roberta": { base: "roberta-classes", method: prompt, apart: true },
  prefix: { base: "llama", method: prefix, apart: true },
  "prefix-gpt2": { base: "gpt2", method: prefix, apart: true },
  "prefix-qwen2": { base: "qwen2", method: prefix, apart: true },
  "prefix-projection": {
    base: "llama",
    method: { ...prefix, prefix_projection: true, encoder_hidden_size: 12 },
    apart: true,
  },
  "prefix-bert": { base: "bert-classes", method: prefix, apart: true },
  norms: { base: "llama", method: "norms" },
  "norms-gpt2": { base: "gpt2", method: "norms" },
  "norms-bert": { base: "bert-classes", method: "norms" },
  tokens: { base: "llama", method: tokens },
  "tokens-tied": { base: "llama-tied", method: tokens },
  "tokens-gpt2": { base: "gpt2", method: tokens },
};
