/** @file What other implementations' numbers say of the catalog's rows: ten steps from one start, as they were measured. */

/** How far ten steps here lie from the same steps elsewhere. */
export interface Measured {
  /** Whose numbers they were held against. */
  readonly against: string;
  /** The largest difference of ten losses. */
  readonly losses: number;
  /** The largest difference of the logits after them, by the largest logit. */
  readonly logits: number;
  /** The same of an adapter that was saved here and loaded by peft. */
  readonly adapter?: number;
}

/** By kind and name: `method lora`. */
// Written by test/reference/methods/record.ts.
export const measured: Readonly<Record<string, Measured>> = {
  "active-layers hift": {
    against: "its formulas in PyTorch 2.15.0",
    losses: 7.3e-7,
    logits: 3.5e-7,
  },
  "active-layers lisa": {
    against: "its formulas in PyTorch 2.15.0",
    losses: 1.2e-6,
    logits: 5.6e-7,
  },
  "initialiser corda": { against: "peft 0.21.2", losses: 6.3e-5, logits: 2.1e-4 },
  "initialiser eva": { against: "peft 0.21.2", losses: 1.9e-6, logits: 5.5e-6 },
  "initialiser lora_ga": {
    against: "its formulas in PyTorch 2.15.0, peft 0.21.2",
    losses: 8.8e-7,
    logits: 1.5e-6,
  },
  "initialiser lora_sb": {
    against: "its formulas in PyTorch 2.15.0",
    losses: 6.8e-7,
    logits: 6.6e-7,
  },
  "initialiser pissa": { against: "peft 0.21.2", losses: 1.4e-6, logits: 6.6e-6 },
  "method adalora": { against: "peft 0.21.2", losses: 9.3e-7, logits: 5.0e-7, adapter: 5.1e-7 },
  "method bitnet": { against: "its formulas in PyTorch 2.15.0", losses: 6.6e-7, logits: 4.1e-7 },
  "method bottleneck": {
    against: "its formulas in PyTorch 2.15.0",
    losses: 8.0e-7,
    logits: 4.4e-7,
  },
  "method dora": { against: "peft 0.21.2", losses: 9.9e-7, logits: 7.8e-6, adapter: 5.7e-7 },
  "method dylora": { against: "its formulas in PyTorch 2.15.0", losses: 7.0e-7, logits: 1.5e-6 },
  "method dynamic_dora": {
    against: "its formulas in PyTorch 2.15.0",
    losses: 7.2e-7,
    logits: 6.5e-7,
  },
  "method fish": { against: "its formulas in PyTorch 2.15.0", losses: 6.3e-7, logits: 3.2e-7 },
  "method full": { against: "PyTorch 2.15.0", losses: 1.9e-6, logits: 9.3e-6 },
  "method hira": { against: "peft 0.21.2", losses: 6.0e-7, logits: 6.0e-7, adapter: 7.5e-7 },
  "method ia3": { against: "peft 0.21.2", losses: 9.7e-7, logits: 4.8e-7, adapter: 4.8e-7 },
  "method increlora": {
    against: "its formulas in PyTorch 2.15.0",
    losses: 6.0e-7,
    logits: 5.3e-7,
    adapter: 5.8e-7,
  },
  "method l4q": { against: "its formulas in PyTorch 2.15.0", losses: 4.3e-7, logits: 1.0e-6 },
  "method lamda": { against: "its formulas in PyTorch 2.15.0", losses: 8.2e-7, logits: 4.7e-7 },
  "method lokr": { against: "peft 0.21.2", losses: 1.0e-6, logits: 5.8e-7, adapter: 5.1e-7 },
  "method loldu": { against: "its formulas in PyTorch 2.15.0", losses: 1.3e-6, logits: 8.7e-7 },
  "method lora": { against: "peft 0.21.2", losses: 8.2e-7, logits: 1.8e-6, adapter: 5.6e-7 },
  "method lora_xs": { against: "its formulas in PyTorch 2.15.0", losses: 6.9e-7, logits: 4.9e-7 },
  "method lst": { against: "its formulas in PyTorch 2.15.0", losses: 5.4e-7, logits: 7.4e-7 },
  "method miss": { against: "peft 0.21.2", losses: 8.3e-7, logits: 1.4e-6, adapter: 5.8e-7 },
  "method mixlora": { against: "its formulas in PyTorch 2.15.0", losses: 7.2e-7, logits: 2.8e-7 },
  "method nola": {
    against: "its formulas in PyTorch 2.15.0",
    losses: 5.9e-7,
    logits: 7.8e-7,
    adapter: 6.4e-7,
  },
  "method norms": { against: "peft 0.21.2", losses: 1.0e-6, logits: 4.9e-7, adapter: 4.9e-7 },
  "method oft": { against: "peft 0.21.2", losses: 8.8e-7, logits: 1.0e-6, adapter: 5.7e-7 },
  "method paca": {
    against: "its formulas in PyTorch 2.15.0",
    losses: 8.2e-7,
    logits: 6.8e-7,
    adapter: 4.6e-7,
  },
  "method peqa": { against: "its formulas in PyTorch 2.15.0", losses: 5.3e-7, logits: 5.4e-7 },
  "method prefix_tuning": {
    against: "peft 0.21.2",
    losses: 8.4e-7,
    logits: 3.8e-7,
    adapter: 6.7e-7,
  },
  "method prompt_tuning": {
    against: "peft 0.21.2",
    losses: 4.3e-7,
    logits: 4.7e-7,
    adapter: 4.8e-7,
  },
  "method randlora": { against: "peft 0.21.2", losses: 9.5e-6, logits: 8.2e-5, adapter: 7.3e-7 },
  "method smt": { against: "its formulas in PyTorch 2.15.0", losses: 1.1e-6, logits: 4.9e-7 },
  "method sora": {
    against: "its formulas in PyTorch 2.15.0",
    losses: 8.3e-7,
    logits: 5.3e-7,
    adapter: 5.0e-7,
  },
  "method svft": { against: "its formulas in PyTorch 2.15.0", losses: 1.4e-6, logits: 5.4e-7 },
  "method trainable_tokens": {
    against: "peft 0.21.2",
    losses: 9.3e-7,
    logits: 3.9e-7,
    adapter: 5.4e-7,
  },
  "method vblora": { against: "peft 0.21.2", losses: 1.2e-6, logits: 7.2e-7, adapter: 5.8e-7 },
  "method vera": { against: "peft 0.21.2", losses: 5.8e-7, logits: 4.7e-7, adapter: 5.2e-7 },
  "optimizer adam_mini": {
    against: "its formulas in PyTorch 2.15.0",
    losses: 4.6e-7,
    logits: 6.3e-7,
  },
  "optimizer adamw": { against: "PyTorch 2.15.0", losses: 4.0e-7, logits: 1.6e-6 },
  "optimizer fira": { against: "its formulas in PyTorch 2.15.0", losses: 8.4e-7, logits: 7.1e-7 },
  "optimizer galore": { against: "its formulas in PyTorch 2.15.0", losses: 1.0e-6, logits: 7.6e-7 },
  "optimizer lomo": { against: "its formulas in PyTorch 2.15.0", losses: 8.3e-7, logits: 6.9e-7 },
  "optimizer lora_ggpo": {
    against: "its formulas in PyTorch 2.15.0",
    losses: 6.0e-7,
    logits: 6.6e-7,
  },
  "optimizer lora_plus": { against: "peft 0.21.2", losses: 6.3e-7, logits: 5.4e-7 },
  "optimizer lora_pro": {
    against: "its formulas in PyTorch 2.15.0",
    losses: 7.1e-7,
    logits: 6.3e-7,
  },
  "optimizer mezo": { against: "its formulas in PyTorch 2.15.0", losses: 6.6e-7, logits: 9.4e-7 },
  "optimizer natural_galore": {
    against: "its formulas in PyTorch 2.15.0",
    losses: 9.1e-7,
    logits: 7.3e-7,
  },
  "optimizer sgd": { against: "PyTorch 2.15.0", losses: 8.3e-7, logits: 6.9e-7 },
  "sharing sharelora": {
    against: "its formulas in PyTorch 2.15.0",
    losses: 9.1e-7,
    logits: 1.1e-6,
    adapter: 8.9e-7,
  },
};
