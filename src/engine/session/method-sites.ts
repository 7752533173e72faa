/** @file Where one entry of `method` acts on linear layers, and what trains whole beside it. */
import type { MethodChoice } from "../../shared/experiment/fields/experiment-fields.ts";
import type { Checked, Finding } from "../../shared/findings.ts";
import type { LinearMethod } from "../methods/define.ts";
import type { FullMatch } from "../methods/targets.ts";
import { idleExclusions, idleKeys, targetSites } from "../methods/targets.ts";
import { allTensors } from "../models/all-tensors.ts";
import type { LinearSpec, Model } from "../models/architecture.ts";
import { lastPart, moduleOf, within } from "../models/module-names.ts";
import type { SiteMethod } from "../programs/setup.ts";
import { kindOf } from "../programs/setup.ts";
import { allocatedMethod, decomposes, patterned, startsOf, withShared } from "./site-choices.ts";

export interface MethodSites {
  /** By module. */
  readonly sites: ReadonlyMap<string, SiteMethod>;
  /** Sources of tensors that train whole: biases and `modules_to_save`. */
  readonly whole: ReadonlySet<string>;
}

export interface SiteContext {
  /** Under which the entry's shared tensors are named. */
  readonly group: string;
  readonly fullMatch: FullMatch;
  /** Ranks that were given by data, by module. */
  readonly allocation: ReadonlyMap<string, number>;
  /** Modules of the entries before it. */
  readonly taken: ReadonlyMap<string, unknown>;
}

/** Findings name each field of the entry that fits nothing in the model, or fits twice. */
export function methodSites(
  model: Model,
  method: LinearMethod,
  choice: MethodChoice,
  { group, fullMatch, allocation, taken }: SiteContext,
): Checked<MethodSites> {
  const targets = targetSites(model, choice, fullMatch);
  const findings = [...targets.findings, ...idleNames(model, choice, targets.sites, fullMatch)];
  const most = {
    in: Math.max(...targets.sites.map((site) => site.in)),
    out: Math.max(...targets.sites.map((site) => site.out)),
  };
  const sites = new Map<string, SiteMethod>();
  const exceeding: Exceeding[] = [];
  for (const linear of targets.sites) {
    const { module } = linear;
    if (taken.has(module))
      findings.push({
        code: "two-methods-at-one-site",
        severity: "error",
        message: `Two entries of method act on ${module}.`,
        remedy: "Give them target_modules that do not overlap.",
      });
    const allocated = allocation.get(module);
    if (allocated === 0) continue;
    const bound = allocatedMethod(
      method,
      method.bind(patterned(choice, linear, fullMatch)),
      allocated,
    );
    const extra = allocated === undefined ? {} : { allocated };
    const kind = kindOf(linear);
    const own = bound.params({ ...linear, kind, most, ...extra });
    const params = withShared(own, bound, choice, kind);
    const starts = startsOf(bound, choice);
    const { dropout } = choice;
    sites.set(module, { method: bound, params, dropout, group, starts });
    const { r: rank } = bound.config;
    const least = Math.min(linear.in, linear.out);
    if (typeof rank === "number" && rank > least)
      exceeding.push({ module, rank, least, decomposed: decomposes(starts) });
  }
  const saved = savedWhole(model, choice);
  findings.push(...rankTooHigh(exceeding), ...saved.findings);
  const whole = new Set([...trainedBiases(model, choice, targets.sites), ...saved.value]);
  return { value: { sites, whole }, findings };
}

/** A site whose matrix has a smaller side than its rank. */
interface Exceeding {
  readonly module: string;
  readonly rank: number;
  readonly least: number;
  /** Whether its start takes singular vectors, of which there are not so many. */
  readonly decomposed: boolean;
}

/** One finding for all such sites: an error where it could not start at one of them. */
function rankTooHigh(exceeding: readonly Exceeding[]): readonly Finding[] {
  const [example] = exceeding;
  if (example === undefined) return [];
  const { module, rank, least } = example;
  const others = exceeding.length > 1 ? ` and at ${exceeding.length - 1} other modules` : "";
  const where = `Rank ${rank} is above the smaller dimension at ${module}${others}`;
  return exceeding.some(({ decomposed }) => decomposed)
    ? [
        {
          code: "rank-of-decomposition",
          severity: "error",
          message: `${where}: a decomposition of it gives ${least} vectors and no more.`,
          remedy: `Choose a rank of at most ${least}, for these modules alone by rank_pattern.`,
        },
      ]
    : [
        {
          code: "rank-exceeds-dimension",
          severity: "warning",
          message: `${where}: the effective rank is ${least} there.`,
          remedy: `A rank of at most ${least} says the same in fewer parameters.`,
        },
      ];
}

function trainedBiases(
  model: Model,
  { bias }: MethodChoice,
  sites: readonly LinearSpec[],
): readonly string[] {
  if (bias === "none") return [];
  const adapted = new Set(sites.map(({ module }) => `${module}.bias`));
  return allTensors(model)
    .filter(({ source, role }) => role === "bias" && (bias === "all" || adapted.has(source)))
    .map(({ source }) => source);
}

function savedWhole(model: Model, { modules_to_save }: MethodChoice): Checked<readonly string[]> {
  const sources = allTensors(model).map(({ source }) => source);
  const findings: Finding[] = [];
  const value = modules_to_save.flatMap((name) => {
    const own = sources.filter((source) => within(source, name));
    if (own.length === 0)
      findings.push({
        code: "module-to-save-without-match",
        severity: "error",
        message: `modules_to_save names ${name}, which the model does not have.`,
        remedy: `The model has: ${[...new Set(sources.map((source) => lastPart(moduleOf(source))))].join(", ")}.`,
      });
    return own;
  });
  return { value, findings };
}

/** Names in exclusions and patterns that change nothing. */
function idleNames(
  model: Model,
  choice: MethodChoice,
  sites: readonly LinearSpec[],
  fullMatch: FullMatch,
): readonly Finding[] {
  if (sites.length === 0) return [];
  const said = (field: string, name: string, what: string, near: string | undefined): Finding => ({
    code: field === "exclude_modules" ? "exclusion-without-match" : "pattern-without-match",
    severity: "warning",
    message: `${field} names \`${name}\`, which matches ${what}.`,
    remedy: near === undefined ? "Mend the name, or remove it." : `Did you mean \`${near}\`?`,
  });
  const { rank_pattern, alpha_pattern } = choice;
  return [
    ...idleExclusions(model, choice).map(({ name, near }) =>
      said("exclude_modules", name, "nothing: nothing is excluded by it", near),
    ),
    ...Object.entries({ rank_pattern, alpha_pattern }).flatMap(([field, pattern]) =>
      idleKeys(pattern, sites, model, choice, fullMatch).map(({ key, near }) =>
        said(field, key, "no adapted module", near),
      ),
    ),
  ];
}
