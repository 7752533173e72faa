/** @file Names that rows of the catalog have in papers and other projects: known, though a catalog may lack them. */
import type { Path } from "./tree.ts";

interface Axis {
  readonly names: readonly string[];
  /** What to do without the row. */
  readonly advice?: string;
  /** A row that does nearly the same, of names that hold this word. */
  readonly near?: { readonly word: string; readonly row: string; readonly advice: string };
}

const words = (text: string): readonly string[] => text.split(" ");

/** By the field that names a row. */
const axes: Readonly<Record<string, Axis>> = {
  method: {
    names: words(
      "qdora dvera oft oftv2 boft loha fourierft hra bone " +
        "shira c3a xlora vblora ln_tuning prefix_tuning prompt_tuning p_tuning adaption_prompt " +
        "cpt trainable_tokens waveft delora gralora road lorafa lora_fa galore freeze bitfit relora",
    ),
  },
  init: {
    names: words("gaussian orthogonal random olora eva corda loftq lora_ga lora-ga milora mica"),
    advice: "Leave `init` out for the method's own start.",
  },
  quantization: {
    names: words(
      "int8 int4 int2 fp4 fp8 mxfp4 gptq awq hqq eetq aqlm quanto torchao vptq higgs bitnet gguf " +
        "8bit 4bit bitsandbytes bnb",
    ),
  },
  optimizer: {
    names: words(
      "adam adam_8bit adamw_8bit paged_adamw_8bit adamw_torch_8bit adamw_torch_4bit adafactor " +
        "adagrad rmsprop lion lion_8bit lion_32bit paged_lion_8bit paged_lion_32bit adalomo " +
        "galore_adamw galore_adamw_8bit apollo_adamw schedule_free_adamw schedule_free_sgd " +
        "ademamix grokadamw stable_adamw came muon sophia lamb radam nadam prodigy adopt",
    ),
    near: {
      word: "adamw",
      row: "adamw",
      advice: "`adamw` is the same rule with states of 32 bits.",
    },
  },
  lr_scheduler_type: {
    names: words(
      "cosine_with_restarts cosine_with_min_lr cosine_warmup_with_min_lr polynomial inverse_sqrt " +
        "reduce_lr_on_plateau warmup_stable_decay wsd one_cycle rex",
    ),
  },
  allocation: { names: words("adalora sensitivity eva dylora autolora sorsa") },
  sharing: { names: words("vera vblora tied_lora shared") },
  active_layers: { names: words("badam owlore") },
};

export interface KnownElsewhere {
  readonly advice: string | undefined;
  /** The name of a row to offer in its place. */
  readonly instead: string | undefined;
}

/** `undefined` where nobody calls a row so, else what to do without it. */
export function knownElsewhere(path: Path, name: string): KnownElsewhere | undefined {
  const owner = path.findLast((step) => step !== "type" && !/^\d+$/.test(step)) ?? "";
  const axis = Object.hasOwn(axes, owner) ? axes[owner] : undefined;
  const word = name.toLowerCase();
  if (axis?.names.includes(word) !== true) return undefined;
  const near = axis.near !== undefined && word.includes(axis.near.word) ? axis.near : undefined;
  return { advice: near?.advice ?? axis.advice, instead: near?.row };
}
