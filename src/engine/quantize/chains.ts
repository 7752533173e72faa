/** @file What feeds what within a layer, so that factors can be moved without a change of the function: by architecture. */
import type { BlockSpec, Model } from "../models/architecture.ts";
import type { Chain } from "../quantizers/context.ts";

/** A chain by names within the layer. */
interface Template {
  readonly from: { readonly norm: string } | { readonly linear: string; readonly part?: number };
  readonly to: readonly string[];
}

const llama: readonly Template[] = [
  {
    from: { norm: "input_layernorm" },
    to: ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"],
  },
  { from: { linear: "self_attn.v_proj" }, to: ["self_attn.o_proj"] },
  { from: { norm: "post_attention_layernorm" }, to: ["mlp.gate_proj", "mlp.up_proj"] },
  { from: { linear: "mlp.up_proj" }, to: ["mlp.down_proj"] },
];

/** The norms of BERT's layers feed residual sums too, so that nothing can be moved out of them. */
const templates: Readonly<Record<string, readonly Template[]>> = {
  llama,
  mistral: llama,
  qwen2: llama,
  qwen3: llama,
  gpt2: [
    { from: { norm: "ln_1" }, to: ["attn.c_attn"] },
    // Queries, keys and values are thirds of one matrix.
    { from: { linear: "attn.c_attn", part: 2 }, to: ["attn.c_proj"] },
    { from: { norm: "ln_2" }, to: ["mlp.c_fc"] },
  ],
  bert: [{ from: { linear: "attention.self.value" }, to: ["attention.output.dense"] }],
  roberta: [{ from: { linear: "attention.self.value" }, to: ["attention.output.dense"] }],
};

/** Chains of a layer; those whose widths differ (values of grouped heads) are left out. */
export function chainsOf({ modelType }: Model, { linears, tensors }: BlockSpec): readonly Chain[] {
  const site = (name: string) => linears.find((linear) => linear.name === name);
  return (templates[modelType] ?? []).flatMap(({ from, to }): readonly Chain[] => {
    const consumers = to.flatMap((name) => site(name) ?? []);
    const [first] = consumers;
    if (consumers.length !== to.length || !first) return [];
    const shifts = consumers.every(({ bias }) => bias);
    const common = { consumers: consumers.map(({ module }) => module), width: first.in };
    if ("norm" in from) {
      const bias = tensors.some(({ name }) => name === `${from.norm}.bias`);
      const producer = { kind: "norm", name: from.norm } as const;
      return [{ ...common, name: from.norm, producer, shifts: shifts && bias }];
    }
    const producing = site(from.linear);
    const { part = 0 } = from;
    if (!producing || producing.out !== (part + 1) * first.in) return [];
    const producer = {
      kind: "linear",
      module: producing.module,
      first: part * first.in,
    } as const;
    // A product of up and gate passes on factors, but no shifts.
    const sums = first.name.includes("attn") || first.name.includes("attention");
    return [{ ...common, name: from.linear, producer, shifts: shifts && producing.bias && sums }];
  });
}
