/** @file What fields beside the method's own make of it at a site: shared factors, its start, and the rank that it was given. */
import type { MethodChoice } from "../../shared/experiment/fields/experiment-fields.ts";
import type { Finding } from "../../shared/findings.ts";
import { initialisers, rowNamed, sharings } from "../catalog.ts";
import type { BoundMethod, LinearMethod, ParamSpec } from "../methods/define.ts";
import { ownStarts, pairStart } from "../methods/pair-start.ts";
import type { FullMatch } from "../methods/targets.ts";
import { patternValue } from "../methods/targets.ts";
import type { LinearSpec } from "../models/architecture.ts";
import type { Start } from "../methods/start.ts";
import type { Shape } from "../../shared/dtypes.ts";
import type { BlockSetup } from "../programs/setup.ts";

/** Factors that the file's `sharing` ties over the sites of a kind. */
export function withShared(
  params: ReadonlyMap<string, ParamSpec>,
  { roles }: BoundMethod,
  { sharing }: MethodChoice,
  kind: string,
): ReadonlyMap<string, ParamSpec> {
  if (sharing === null || roles === undefined) return params;
  const shared = rowNamed(sharings, sharing.type)
    .bind(sharing.config)
    .map((role) => roles[role]);
  return new Map(
    [...params].map(([name, spec]) => [
      name,
      shared.includes(name) ? { ...spec, key: `${name}.${kind}` } : spec,
    ]),
  );
}

/** What starts a method's tensors from data: first the initialiser that the file names, then the method's own. */
export function startsOf(bound: BoundMethod, { init }: MethodChoice): readonly Start[] {
  if (init.type === "default" || bound.roles === undefined) return ownStarts(bound);
  const pair = rowNamed(initialisers, init.type).bind(init.config);
  return [pairStart(pair, bound.roles), ...(bound.start ? [bound.start] : [])];
}

/** Whether a method's start takes singular vectors or the like of a matrix, which has no more of them than its smaller side. */
export function decomposes(starts: readonly Start[]): boolean {
  return starts.some(({ needs }) => needs.length > 0);
}

/** Tensors that sites of different shapes would share. */
export function unequalShapes(setups: readonly BlockSetup[]): readonly Finding[] {
  const first = new Map<string, { readonly shape: Shape; readonly module: string }>();
  const findings: Finding[] = [];
  for (const { spec, sites } of setups)
    for (const { name, module } of spec.linears) {
      const { params, group = "", method } = sites.get(name) ?? {};
      for (const { key, shape } of params?.values() ?? []) {
        if (key === undefined) continue;
        const known = first.get(`${group}#${key}`);
        if (known === undefined) first.set(`${group}#${key}`, { shape, module });
        else if (known.shape.join() !== shape.join())
          findings.push({
            code: "shared-shapes-differ",
            severity: "error",
            message: `${method?.name ?? "The method"} shares ${key} between ${known.module} and ${module}, where it would be [${known.shape.join(", ")}] and [${shape.join(", ")}].`,
            remedy: "Give them one rank, or entries of `method` of their own.",
          });
      }
    }
  return findings;
}

/** The method with the rank that it was given, and alpha such that its scale stays. */
export function allocatedMethod(
  method: LinearMethod,
  bound: BoundMethod,
  size: number | undefined,
): BoundMethod {
  const { r, alpha, use_rslora: rooted } = bound.config;
  if (size === undefined || typeof r !== "number") return bound;
  const share = rooted === true ? Math.sqrt(size / r) : size / r;
  const scaled = typeof alpha === "number" ? { alpha: alpha * share } : {};
  return method.bind({ ...bound.config, r: size, ...scaled });
}

/** The choice's own fields, with the rank and alpha that a pattern gives the module. */
export function patterned(
  choice: MethodChoice,
  { module }: LinearSpec,
  fullMatch: FullMatch,
): Readonly<Record<string, unknown>> {
  const r = patternValue(choice.rank_pattern, module, fullMatch);
  const alpha = patternValue(choice.alpha_pattern, module, fullMatch);
  return {
    ...choice.config,
    ...(r === undefined ? {} : { r }),
    ...(alpha === undefined ? {} : { alpha }),
  };
}
