/** @file Which linear sites a method acts on: names, `all-linear` or a regular expression, as peft reads them. */
import type { Finding } from "../../shared/findings.ts";
import type { LinearSpec, Model } from "../models/architecture.ts";
import { nearest } from "../../shared/experiment/nearest.ts";

/** Matches a Python-style regular expression against a whole module name; may give up with an error. */
export type FullMatch = (pattern: string, text: string) => boolean;

export interface TargetFields {
  readonly target_modules: string | readonly string[];
  readonly exclude_modules: string | readonly string[] | null;
  readonly layers_to_transform: readonly number[] | null;
}

/** Linear sites by their module name, in the model's order. */
export function linearSites(model: Model): readonly LinearSpec[] {
  return model.blocks.flatMap(({ linears }) => linears);
}

/**
 * The sites that fields name, as peft's `check_target_module_exists` decides: a list's names match a module
 * or its last parts; text is a regular expression for the whole name; `all-linear` takes all but heads.
 */
export function targetSites(
  model: Model,
  fields: TargetFields,
  fullMatch: FullMatch,
): { readonly sites: readonly LinearSpec[]; readonly findings: readonly Finding[] } {
  const all = linearSites(model);
  const { target_modules: targets, exclude_modules: excluded, layers_to_transform: layers } = fields;
  const findings: Finding[] = [];
  const wanted =
    targets === "all-linear"
      ? all.filter(({ head }) => head !== true)
      : all.filter(({ module }) => matches(targets, module, fullMatch));
  if (typeof targets !== "string") findings.push(...namesWithoutMatch(targets, all));
  if (wanted.length === 0 && findings.every(({ severity }) => severity !== "error"))
    findings.push({
      code: "no-target-matches",
      severity: "error",
      message: `target_modules ${JSON.stringify(targets)} matches none of the model's linear layers.`,
      remedy: `The model has: ${kinds(all).join(", ")}.`,
    });
  const sites = wanted.filter(
    ({ module }) =>
      (excluded === null || !matches(excluded, module, fullMatch)) &&
      (layers === null || layers.includes(layerIndex(module))),
  );
  if (wanted.length > 0 && sites.length === 0)
    findings.push({
      code: "no-target-matches",
      severity: "error",
      message: "exclude_modules and layers_to_transform leave no target module.",
    });
  return { sites, findings };
}

/** The first entry of a `rank_pattern` or `alpha_pattern` whose key ends the module's name, as in peft. */
export function patternValue(
  pattern: Readonly<Record<string, number>>,
  module: string,
  fullMatch: FullMatch,
): number | undefined {
  const entry = Object.entries(pattern).find(([key]) => fullMatch(`(.*\\.)?(${key})`, module));
  return entry?.[1];
}

/** The number of a module's layer: the first number among its parts; −1 without one. */
export function layerIndex(module: string): number {
  const part = module.split(".").find((name) => /^\d+$/.test(name));
  return part === undefined ? -1 : Number(part);
}

function matches(names: string | readonly string[], module: string, fullMatch: FullMatch): boolean {
  if (typeof names === "string") return fullMatch(names, module);
  return names.some((name) => module === name || module.endsWith(`.${name}`));
}

function namesWithoutMatch(names: readonly string[], all: readonly LinearSpec[]): readonly Finding[] {
  const none = names.filter((name) => !all.some(({ module }) => module === name || module.endsWith(`.${name}`)));
  if (none.length === 0) return [];
  const known = kinds(all);
  const hints = none.map((name) => {
    const near = nearest(name, known);
    return near === undefined ? name : `${name} (did you mean ${near}?)`;
  });
  const every = none.length === names.length;
  return [
    {
      code: every ? "no-target-matches" : "target-without-match",
      severity: "error",
      message: `target_modules names ${hints.join(", ")}, which ${none.length === 1 ? "matches" : "match"} nothing.`,
      remedy: `The model has: ${known.join(", ")}.`,
    },
  ];
}

/** The distinct last parts of module names. */
function kinds(all: readonly LinearSpec[]): readonly string[] {
  return [...new Set(all.map(({ module }) => module.slice(module.lastIndexOf(".") + 1)))];
}
