/** @file Reads adapters of peft's types that are methods of the catalog at linear layers: VeRA, IA³, LoKr and their kin. */
import { invariant } from "../../shared/errors.ts";
import { parseFields } from "../../shared/experiment/parse-fields.ts";
import type { MethodChoice } from "../../shared/experiment/fields/experiment-fields.ts";
import { isRecord } from "../../shared/wire.ts";
import { methods } from "../catalog.ts";
import { sharedPrefix } from "../exports/adapter-sites.ts";
import { modulePrefix } from "../exports/peft-names.ts";
import type { BoundMethod, LinearMethod, PeftForm } from "../methods/define.ts";
import { patternValue } from "../methods/targets.ts";
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

function readerOf(row: LinearMethod, form: PeftForm<string>): (json: Json) => Placing | Refusal {
  return (json) => {
    const { config: said, unknown } = form.read?.(json) ?? { config: {} };
    if (unknown !== undefined) return { field: unknown, why: `${row.title} is known without it` };
    if (json["bias"] !== undefined && json["bias"] !== "none")
      return { field: "bias", why: "biases are read of LoRA adapters alone" };
    const patterns = patternsOf(json, form);
    if ("field" in patterns)
      return { ...patterns, why: `modules of ${row.title} have no such pattern here` };
    const { value: config, findings } = parseFields(row.config, withoutMissing(said));
    const [fault] = findings;
    if (fault || !config)
      return {
        field: "peft_type",
        why: fault?.message.replace(/\.$/u, "") ?? "its fields are not understood",
      };
    const bound = row.bind(config);
    return (names, model, fullMatch) => {
      const sites = sitesOf(form, names, model, bound);
      const most = {
        in: Math.max(0, ...sites.map((site) => site.in)),
        out: Math.max(0, ...sites.map((site) => site.out)),
      };
      const { rank_pattern: ranks, alpha_pattern: alphas } = patterns;
      const boundAt = ({ module }: LinearSpec): BoundMethod => {
        const r = patternValue(ranks, module, fullMatch);
        const alpha = patternValue(alphas, module, fullMatch);
        if (r === undefined && alpha === undefined) return bound;
        return row.bind({ ...config, ...(r && { r }), ...(alpha && { alpha }) });
      };
      const tensors = sites.flatMap((site) => placesOf(form, boundAt(site), site, most));
      const own = [...new Map(tensors.map((tensor) => [tensor.name, tensor])).values()];
      const targets = sites.map(({ module }) => module);
      const choice = { ...plainChoice(row.name, config), target_modules: targets, ...patterns };
      return placedWith(choice, own, modulePrefix, names, model);
    };
  };
}

type Patterns = Pick<MethodChoice, "rank_pattern" | "alpha_pattern">;

/** Ranks and alphas by module; a pattern that the type does not have, or that is none of numbers above 0. */
function patternsOf(
  json: Json,
  { patterns = [] }: PeftForm<string>,
): Patterns | { readonly field: string } {
  const found = { rank_pattern: {}, alpha_pattern: {} };
  for (const [name, field] of [
    ["rank_pattern", "r"],
    ["alpha_pattern", "alpha"],
  ] as const) {
    const said: unknown = json[name] ?? {};
    if (isRecord(said) && Object.keys(said).length === 0) continue;
    if (!patterns.includes(field) || !isNumbers(said)) return { field: name };
    found[name] = said;
  }
  return found;
}

function isNumbers(value: unknown): value is Readonly<Record<string, number>> {
  return isRecord(value) && Object.values(value).every((one) => typeof one === "number" && one > 0);
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
    .filter(({ module }) =>
      suffixes.some((suffix) => names.has(`${modulePrefix}${module}.${suffix}`)),
    );
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
            name: `${modulePrefix}${site.module}.${own}`,
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
