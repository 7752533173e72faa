/** @file Which linear sites a method acts on: names, `all-linear` or a regular expression, as peft reads them. */
import type { Finding } from "../../shared/findings.ts";
import { nearest } from "../../shared/experiment/nearest.ts";
import type { BlockSpec, LinearSpec } from "../models/architecture.ts";
import { lastPart, within } from "../models/module-names.ts";

/** Matches a Python-style regular expression against a whole module name; may give up with an error. */
export type FullMatch = (pattern: string, text: string) => boolean;

/** The fields of `method` that choose its sites, under peft's names. */
export interface TargetFields {
  /** Null is `all-linear`, the default. */
  readonly target_modules: string | readonly string[] | null;
  readonly exclude_modules: string | readonly string[] | null;
  readonly layers_to_transform: readonly number[] | null;
  /** Names of the list that layers stand in; without one, any. */
  readonly layers_pattern: readonly string[] | null;
  /** Modules that train whole: no method acts within them. */
  readonly modules_to_save: readonly string[];
}

/** What is asked of a model here; more is known of those that train, less of others. */
export interface TargetModel {
  readonly blocks: readonly Pick<BlockSpec, "linears">[];
  readonly headModule?: string;
}

/** Linear sites by their module name, in the model's order. */
export function linearSites(model: TargetModel): readonly LinearSpec[] {
  return model.blocks.flatMap(({ linears }) => linears);
}

/**
 * The sites that fields name, as peft's `check_target_module_exists` decides: a list's names match a module
 * or its last parts; text is a regular expression for the whole name; `all-linear` takes all but heads.
 * A classification head trains whole, so that nothing acts in it. Other than in peft,
 * `layers_to_transform` serves with every form of `target_modules`, and a name without match is an error.
 */
export function targetSites(
  model: TargetModel,
  fields: TargetFields,
  fullMatch: FullMatch,
): { readonly sites: readonly LinearSpec[]; readonly findings: readonly Finding[] } {
  const all = offeredSites(model, fields);
  const findings: Finding[] = [];
  const targets = fields.target_modules;
  const wanted = wantedSites(all, targets, fullMatch);
  if (targets !== null && typeof targets !== "string")
    findings.push(...namesWithoutMatch(targets, model, fields));
  if (wanted.length === 0 && findings.length === 0)
    findings.push({
      code: "no-target-matches",
      severity: "error",
      message: `target_modules ${JSON.stringify(targets)} matches none of the model's linear layers.`,
      remedy: `The model has: ${kinds(all).join(", ")}.`,
    });
  const sites = wanted.filter(
    ({ module }) => !isExcluded(module, fields, fullMatch) && isInLayers(module, fields, fullMatch),
  );
  if (wanted.length > 0 && sites.length === 0)
    findings.push({
      code: "no-target-matches",
      severity: "error",
      message: "exclude_modules and layers_to_transform leave no target module.",
      remedy: `Without them these are targets: ${kinds(wanted).join(", ")}${layersInWords(wanted, fields, fullMatch)}.`,
    });
  return { sites, findings };
}

/** The first entry of a `rank_pattern` or `alpha_pattern` whose key matches the end of the module's name, as in peft. */
export function patternValue(
  pattern: Readonly<Record<string, number>>,
  module: string,
  fullMatch: FullMatch,
): number | undefined {
  const entry = Object.entries(pattern).find(([key]) => fullMatch(`(.*\\.)?(${key})`, module));
  return entry?.[1];
}

function wantedSites(
  all: readonly LinearSpec[],
  targets: TargetFields["target_modules"],
  fullMatch: FullMatch,
): readonly LinearSpec[] {
  const isWord = typeof targets === "string" && targets.toLowerCase() === "all-linear";
  if (targets === null || isWord) return all.filter(({ head }) => head !== true);
  return all.filter(({ module }) => matches(targets, module, fullMatch));
}

function isExcluded(
  module: string,
  { exclude_modules: excluded }: TargetFields,
  fullMatch: FullMatch,
): boolean {
  return excluded !== null && excluded !== "" && matches(excluded, module, fullMatch);
}

function isInLayers(module: string, fields: TargetFields, fullMatch: FullMatch): boolean {
  const layers = fields.layers_to_transform ?? [];
  if (layers.length === 0) return true;
  const index = layerIndex(module, fields.layers_pattern ?? [], fullMatch);
  return index !== undefined && layers.includes(index);
}

/**
 * The number of a module's layer: the first that stands, as in peft, behind a list's name with something
 * before it, or behind the first of `patterns` that occurs.
 */
function layerIndex(
  module: string,
  patterns: readonly string[],
  fullMatch: FullMatch,
): number | undefined {
  const parts = module.split(".");
  const numbered = parts.flatMap((part, place) =>
    /^\d+$/u.test(part) && place < parts.length - 1
      ? [{ number: Number(part), place, list: parts.slice(0, place).join(".") }]
      : [],
  );
  if (patterns.length === 0) return numbered.find(({ place }) => place >= 2)?.number;
  for (const pattern of patterns) {
    const found = numbered.find(({ list }) => fullMatch(`(.*\\.)?(${pattern})`, list));
    if (found) return found.number;
  }
  return undefined;
}

/** ` in layers 0 to 11`, where sites stand in numbered layers. */
function layersInWords(
  sites: readonly LinearSpec[],
  { layers_pattern: patterns }: TargetFields,
  fullMatch: FullMatch,
): string {
  const layers = sites.flatMap(({ module }) => layerIndex(module, patterns ?? [], fullMatch) ?? []);
  return layers.length === 0 ? "" : ` in layers ${Math.min(...layers)} to ${Math.max(...layers)}`;
}

function matches(names: string | readonly string[], module: string, fullMatch: FullMatch): boolean {
  if (typeof names === "string") return fullMatch(names, module);
  return names.some((name) => endsIn(module, name));
}

/** Whether a module has that name, or its last parts have. */
function endsIn(module: string, name: string): boolean {
  return module === name || module.endsWith(`.${name}`);
}

/** Names that match no linear site at all: those within modules that train whole are only passed over. */
function namesWithoutMatch(
  names: readonly string[],
  model: TargetModel,
  fields: Pick<TargetFields, "modules_to_save">,
): readonly Finding[] {
  const none = unmatchedNames(names, model, fields);
  if (none.length === 0) return [];
  const hints = none.map(({ name, near }) =>
    near === undefined ? name : `${name} (did you mean ${near}?)`,
  );
  return [
    {
      code: none.length === names.length ? "no-target-matches" : "target-without-match",
      severity: "error",
      message: `target_modules names ${hints.join(", ")}, which ${none.length === 1 ? "matches" : "match"} nothing.`,
      remedy: `The model has: ${targetKinds(model, fields).join(", ")}.`,
    },
  ];
}

/** Those of a list of names that match no linear site, each with the one that was probably meant. */
export function unmatchedNames(
  names: readonly string[],
  model: TargetModel,
  fields: Pick<TargetFields, "modules_to_save">,
): readonly { readonly name: string; readonly index: number; readonly near: string | undefined }[] {
  const existing = linearSites(model);
  const known = targetKinds(model, fields);
  return names.flatMap((name, index) =>
    existing.some(({ module }) => endsIn(module, name))
      ? []
      : [{ name, index, near: nearest(name, known) }],
  );
}

/** Those of the names of `exclude_modules` that exclude nothing. */
export function idleExclusions(
  model: TargetModel,
  fields: Pick<TargetFields, "exclude_modules" | "modules_to_save">,
): ReturnType<typeof unmatchedNames> {
  const { exclude_modules: excluded } = fields;
  return excluded === null || typeof excluded === "string"
    ? []
    : unmatchedNames(excluded, model, fields);
}

/** Those of the keys of a `rank_pattern` or `alpha_pattern` that match no adapted site. */
export function idleKeys(
  pattern: Readonly<Record<string, number>>,
  sites: readonly LinearSpec[],
  model: TargetModel,
  fields: Pick<TargetFields, "modules_to_save">,
  fullMatch: FullMatch,
): readonly { readonly key: string; readonly near: string | undefined }[] {
  return Object.keys(pattern).flatMap((key) =>
    sites.some(({ module }) => patternValue({ [key]: 1 }, module, fullMatch) !== undefined)
      ? []
      : [{ key, near: nearest(key, targetKinds(model, fields)) }],
  );
}

/** What lists of targets may name: the last parts of the names of linear sites. */
export function targetKinds(
  model: TargetModel,
  fields: Pick<TargetFields, "modules_to_save">,
): readonly string[] {
  return kinds(offeredSites(model, fields));
}

/** All linear sites but those that train whole. */
function offeredSites(
  model: TargetModel,
  { modules_to_save }: Pick<TargetFields, "modules_to_save">,
): readonly LinearSpec[] {
  const saved = [...modules_to_save, ...(model.headModule ? [model.headModule] : [])];
  return linearSites(model).filter(({ module }) => !saved.some((name) => within(module, name)));
}

/** The distinct last parts of module names. */
function kinds(all: readonly LinearSpec[]): readonly string[] {
  return [...new Set(all.map(({ module }) => lastPart(module)))];
}
