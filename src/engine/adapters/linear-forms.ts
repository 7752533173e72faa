/** @file Reads adapters of peft's types that are methods of the catalog at linear layers: VeRA, IA³, LoKr and their kin. */
import { invariant } from "../../shared/errors.ts";
import { parseFields } from "../../shared/experiment/parse-fields.ts";
import { methods } from "../catalog.ts";
import { sharedPrefix } from "../exports/adapter-sites.ts";
import type { BoundMethod, LinearMethod, PeftForm } from "../methods/define.ts";
import type { LinearSpec, Model } from "../models/architecture.ts";
import { lastPart } from "../models/module-names.ts";
import { groupName, paramName } from "../programs/setup.ts";
import type { Json, Placing, Refusal } from "./placing.ts";
import { plainChoice } from "./placing.ts";
import type { PlacedTensor } from "./place-adapter.ts";
import { placedWith } from "./placed-tensors.ts";

/** By peft's name of the type. */
export const linearForms: Readonly<Record<string, (json: Json) => Placing | Refusal>> =
  Object.fromEntries(
    methods.flatMap((row) =>
      row.kind === "linear" && row.peft?.read ? [[row.peft.type, readerOf(row, row.peft)]] : [],
    ),
  );

const prefix = "base_model.model.";

function readerOf(row: LinearMethod, form: PeftForm<string>): (json: Json) => Placing | Refusal {
  return (json) => {
    const { config: said, unknown } = form.read?.(json) ?? { config: {} };
    if (unknown !== undefined) return { field: unknown, why: `${row.title} is known without it` };
    if (json["bias"] !== undefined && json["bias"] !== "none")
      return { field: "bias", why: "biases are read of LoRA adapters alone" };
    const { value: config, findings } = parseFields(row.config, withoutMissing(said));
    const [fault] = findings;
    if (fault || !config)
      return {
        field: "peft_type",
        why: fault?.message.replace(/\.$/u, "") ?? "its fields are not understood",
      };
    const bound = row.bind(config);
    return (names, model) => {
      const sites = sitesOf(form, names, model, bound);
      const most = {
        in: Math.max(0, ...sites.map((site) => site.in)),
        out: Math.max(0, ...sites.map((site) => site.out)),
      };
      const tensors = sites.flatMap((site) => placesOf(form, bound, site, most));
      const own = [...new Map(tensors.map((tensor) => [tensor.name, tensor])).values()];
      const targets = sites.map(({ module }) => module);
      const choice = { ...plainChoice(row.name, config), target_modules: targets };
      return placedWith(choice, own, prefix, names, model);
    };
  };
}

/** Linear layers that the file has tensors of. */
function sitesOf(
  { tensors, packing }: PeftForm<string>,
  names: ReadonlySet<string>,
  model: Model,
  { config }: BoundMethod,
): readonly LinearSpec[] {
  const suffixes = Object.entries(tensors).flatMap(([param, suffix]) =>
    (packing?.(param, [], config)?.parts ?? [{ suffix: "" }]).map(
      (part) => `${suffix ?? ""}${part.suffix}`,
    ),
  );
  return model.blocks
    .flatMap(({ linears }) => linears)
    .filter(({ module }) => suffixes.some((suffix) => names.has(`${prefix}${module}.${suffix}`)));
}

function placesOf(
  { tensors, shared = {}, packing, shapeOf = (_, shape) => shape }: PeftForm<string>,
  bound: BoundMethod,
  site: LinearSpec,
  most: { readonly in: number; readonly out: number },
): readonly PlacedTensor[] {
  const kind = lastPart(site.module);
  return [...bound.params({ in: site.in, out: site.out, kind, most })].flatMap(
    ([param, { shape, key }]): readonly PlacedTensor[] => {
      const [own, common] = [tensors[param], shared[param]];
      const inFile = shapeOf(param, shape);
      const packed = packing?.(param, shape, bound.config);
      if (own !== undefined)
        return [
          {
            name: `${prefix}${site.module}.${own}`,
            shape: inFile,
            parameter: paramName(site.module, param),
            ...(packed && { packing: packed }),
          },
        ];
      if (common === undefined) return [];
      invariant(key !== undefined, `${param} is shared without a key`);
      const parameter = paramName(groupName(0), key);
      return [{ name: `${sharedPrefix}${common}`, shape: inFile, parameter }];
    },
  );
}

function withoutMissing(said: Json): Json {
  return Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined));
}
