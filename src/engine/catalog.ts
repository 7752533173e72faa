/** @file The catalog: every method, optimizer, quantizer and schedule, one row each. Pure: the language server reads it. */
import type { CatalogFields } from "../shared/experiment/fields/catalog-fields.ts";
import type { Variant, Variants } from "../shared/schema.ts";
import type { ActiveLayers } from "./active-layers/define.ts";
import { hift } from "./active-layers/hift.ts";
import { lisa } from "./active-layers/lisa.ts";
import type { CatalogRow } from "./catalog-row.ts";
import { corda } from "./initialisers/corda.ts";
import type { Initialiser } from "./initialisers/define.ts";
import { eva } from "./initialisers/eva.ts";
import { loraGa } from "./initialisers/lora-ga.ts";
import { loraSb } from "./initialisers/lora-sb.ts";
import { pissa } from "./initialisers/pissa.ts";
import type { Method } from "./methods/define.ts";
import { adalora } from "./methods/adalora.ts";
import { bottleneck } from "./methods/bottleneck.ts";
import { bitnet } from "./methods/bitnet.ts";
import { dora } from "./methods/dora.ts";
import { dylora } from "./methods/dylora.ts";
import { dynamicDora } from "./methods/dynamic-dora.ts";
import { fish } from "./methods/fish.ts";
import { full } from "./methods/full.ts";
import { hira } from "./methods/hira.ts";
import { ia3 } from "./methods/ia3.ts";
import { increlora } from "./methods/increlora.ts";
import { l4q } from "./methods/l4q.ts";
import { lamda } from "./methods/lamda.ts";
import { lokr } from "./methods/lokr.ts";
import { loldu } from "./methods/loldu.ts";
import { loraXs } from "./methods/lora-xs.ts";
import { lora } from "./methods/lora.ts";
import { miss } from "./methods/miss.ts";
import { lst } from "./methods/lst.ts";
import { mixlora } from "./methods/mixlora.ts";
import { nola } from "./methods/nola.ts";
import { norms } from "./methods/norms.ts";
import { oft } from "./methods/oft.ts";
import { paca } from "./methods/paca.ts";
import { peqa } from "./methods/peqa.ts";
import { prefixTuning } from "./methods/prefix-tuning.ts";
import { promptTuning } from "./methods/prompt-tuning.ts";
import { randlora } from "./methods/randlora.ts";
import { smt } from "./methods/smt.ts";
import { sora } from "./methods/sora.ts";
import { svft } from "./methods/svft.ts";
import { trainableTokens } from "./methods/trainable-tokens.ts";
import { vblora } from "./methods/vblora.ts";
import { vera } from "./methods/vera.ts";
import { adamMini } from "./optimizers/adam-mini.ts";
import { adamw } from "./optimizers/adamw.ts";
import type { UpdateRule } from "./optimizers/define.ts";
import { fira } from "./optimizers/fira.ts";
import { galore } from "./optimizers/galore.ts";
import { lomo } from "./optimizers/lomo.ts";
import { loraGgpo } from "./optimizers/lora-ggpo.ts";
import { loraPlus } from "./optimizers/lora-plus.ts";
import { loraPro } from "./optimizers/lora-pro.ts";
import { mezo } from "./optimizers/mezo.ts";
import { naturalGalore } from "./optimizers/natural-galore.ts";
import { sgd } from "./optimizers/sgd.ts";
import type { Quantizer } from "./quantizers/define.ts";
import { adadim } from "./quantizers/adadim.ts";
import { awq } from "./quantizers/awq.ts";
import { bitstack } from "./quantizers/bitstack.ts";
import { dgq } from "./quantizers/dgq.ts";
import { flexround } from "./quantizers/flexround.ts";
import { fp4 } from "./quantizers/fp4.ts";
import { fp6 } from "./quantizers/fp6.ts";
import { gptq } from "./quantizers/gptq.ts";
import { gwq } from "./quantizers/gwq.ts";
import { lqLora } from "./quantizers/lq-lora.ts";
import { nf4 } from "./quantizers/nf4.ts";
import { osPlus } from "./quantizers/os-plus.ts";
import { pbLlm } from "./quantizers/pb-llm.ts";
import { quantease } from "./quantizers/quantease.ts";
import { rsq } from "./quantizers/rsq.ts";
import { rtn } from "./quantizers/rtn.ts";
import { smoothquantPlus } from "./quantizers/smoothquant-plus.ts";
import { zeroquantFp } from "./quantizers/zeroquant-fp.ts";
import type { Sharing } from "./sharings/define.ts";
import { sharelora } from "./sharings/sharelora.ts";
import { learningRateSchedules } from "./schedules/learning-rate.ts";

export const methods: readonly Method[] = [
  lora,
  dora,
  loraXs,
  vera,
  vblora,
  randlora,
  nola,
  miss,
  lokr,
  hira,
  oft,
  ia3,
  svft,
  loldu,
  paca,
  smt,
  fish,
  lamda,
  sora,
  dylora,
  adalora,
  increlora,
  dynamicDora,
  peqa,
  l4q,
  bitnet,
  promptTuning,
  prefixTuning,
  bottleneck,
  mixlora,
  lst,
  trainableTokens,
  norms,
  full,
];
export const initialisers: readonly Initialiser[] = [pissa, eva, corda, loraGa, loraSb];
export const sharings: readonly Sharing[] = [sharelora];
export const optimizers: readonly UpdateRule[] = [
  adamw,
  sgd,
  loraPlus,
  loraPro,
  adamMini,
  galore,
  naturalGalore,
  fira,
  lomo,
  mezo,
  loraGgpo,
];
export const activeLayers: readonly ActiveLayers[] = [lisa, hift];
export const quantizers: readonly Quantizer[] = [
  nf4,
  fp4,
  rtn,
  gptq,
  rsq,
  quantease,
  awq,
  smoothquantPlus,
  osPlus,
  dgq,
  adadim,
  flexround,
  gwq,
  pbLlm,
  fp6,
  zeroquantFp,
  lqLora,
  bitstack,
];

/** The row of that name; the experiment's checks have made sure that there is one. */
export function rowNamed<T extends { readonly name: string }>(rows: readonly T[], name: string): T {
  const row = rows.find((candidate) => candidate.name === name);
  if (!row) throw new RangeError(`the catalog has no ${name}`);
  return row;
}

/** Fields of `method` that have a meaning at linear layers alone. */
const linearOnly = [
  "target_modules",
  "exclude_modules",
  "layers_to_transform",
  "layers_pattern",
  "dropout",
  "bias",
  "init",
  "allocation",
  "sharing",
];

/** Fields of `method` without meaning for a row. */
function withoutMeaning(method: Method): Pick<Variant, "omits" | "trainsBase"> {
  switch (method.kind) {
    case "tensors":
      return {
        omits: [...linearOnly, "modules_to_save"],
        ...(method.noQuantizedBase === undefined ? {} : { trainsBase: true }),
      };
    case "rows":
    case "tokens":
    case "prefix":
      return { omits: [...linearOnly, "modules_to_save", "from"] };
    case "block":
    case "side":
      return {
        omits: [
          ...linearOnly.filter((name) => !name.startsWith("layers_")),
          "modules_to_save",
          "from",
        ],
      };
    case "linear":
      return method.roles ? {} : { omits: ["init", "sharing"] };
  }
}

/** What an experiment file can name. */
export const catalogFields: CatalogFields = {
  methods: variants(methods, withoutMeaning),
  optimizers: variants(optimizers),
  quantizers: variants(quantizers),
  schedulers: Object.fromEntries(
    Object.entries(learningRateSchedules).map(([name, { doc }]) => [name, { doc, fields: {} }]),
  ),
  initialisers: variants(initialisers),
  allocations: {},
  sharings: variants(sharings),
  activeLayers: variants(activeLayers),
};

function variants<R extends CatalogRow>(
  rows: readonly R[],
  more: (row: R) => Pick<Variant, "omits" | "trainsBase"> = () => ({}),
): Variants {
  return Object.fromEntries(
    rows.map((row): [string, Variant] => [
      row.name,
      {
        title: row.title,
        doc: row.doc,
        paper: row.paper,
        fields: row.config,
        ...more(row),
      },
    ]),
  );
}
