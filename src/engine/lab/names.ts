/** @file What the name of a tensor says, whatever the architecture: its layer, its role, and how it is called elsewhere. */

/**
 * Wrappers around a model, and the names that base models have in models with a head: the same tensor goes with
 * and without them. `encoder` and `decoder` are none: a model may have both, with equal names inside.
 */
const wrappers: ReadonlySet<string> = new Set(
  (
    "base_model module _orig_mod model transformer language_model bert roberta distilbert deberta electra albert " +
    "xlm_roberta mpnet camembert gpt_neox backbone"
  ).split(" "),
);

const layerWords: ReadonlySet<string> = new Set("layers layer h block blocks".split(" "));

/** A tensor's name without wrappers and names of the base model at its beginning: by it two files' tensors are matched. */
export function plainName(name: string): string {
  const parts = name.split(".");
  let start = 0;
  while (start < parts.length - 2 && wrappers.has(parts[start] ?? "")) start++;
  return parts.slice(start).join(".");
}

/** The module of a tensor: its name without `.weight`. */
export function moduleOf(name: string): string {
  return name.replace(/\.(weight|base_layer\.weight)$/, "");
}

export interface Role {
  /** `q_proj`, `mlp.down_proj` by the family's own word; `other` where the map does not know it. */
  readonly module: string;
  readonly layer: number | undefined;
}

/** Roles by the end of a module's name; the first that fits counts. */
const roles: readonly (readonly [RegExp, string])[] = [
  [/attention\.output\.dense$/, "attention.output"],
  [/(attention|attn)\.dense$/, "attention.dense"],
  [/intermediate\.dense$/, "intermediate"],
  [/output\.dense$/, "output"],
  [/attn\.c_proj$/, "attn.c_proj"],
  [/mlp\.c_proj$/, "mlp.c_proj"],
  [/(^|\.)(q|k|v|o|qkv|gate|up|down|gate_up|out|in)_proj$/, ""],
  [/(^|\.)(query|key|value|query_key_value|c_attn|c_fc|Wqkv|Wo|Wi|wi|wo|wi_0|wi_1)$/, ""],
  [/(^|\.)(q_lin|k_lin|v_lin|out_lin|lin1|lin2|fc1|fc2|fc_in|fc_out|w1|w2|w3)$/, ""],
  [/(^|\.)(dense_h_to_4h|dense_4h_to_h|self_attention\.dense)$/, ""],
  [/(embed_tokens|word_embeddings|wte|embed_in|tok_embeddings)$/, "embedding"],
  [/(lm_head|embed_out|output_projection)$/, "head"],
];

/** Layer and role of a matrix. Experts of a mixture keep their role and share their layer. */
export function roleOf(name: string): Role {
  const module = moduleOf(plainName(name));
  const parts = module.split(".");
  const at = parts.findIndex(
    (part, index) => layerWords.has(part) && /^\d+$/.test(parts[index + 1] ?? ""),
  );
  const layer = at < 0 ? undefined : Number(parts[at + 1]);
  const found = roles.find(([pattern]) => pattern.test(module));
  if (!found) return { module: "other", layer };
  return { module: found[1] === "" ? (parts.at(-1) ?? "other") : found[1], layer };
}

/** Tables of tokens and positions, and heads over them: looked at only where somebody names them. */
export function isTableOrHead(name: string): boolean {
  return /(^|[._])(embed\w*|embeddings?|wte|wpe|lm_head|score|classifier|predictions|pooler|relative_attention_bias)([._]|$)/.test(
    plainName(name),
  );
}
