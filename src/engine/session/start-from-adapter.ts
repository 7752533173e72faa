/** @file `method.from`: training goes on from an adapter, whose shape and scale must be those of the experiment. */
import { UserError } from "../../shared/errors.ts";
import type { Experiment } from "../../shared/experiment/fields/experiment-fields.ts";
import type { Finding } from "../../shared/findings.ts";
import type { OpenAdapter } from "../adapters/load-peft.ts";
import {
  checkCopies,
  fillFromAdapter,
  openAdapter,
  placeOpenAdapter,
} from "../adapters/load-peft.ts";
import type { PlacedAdapter } from "../adapters/place-adapter.ts";
import type { FullMatch } from "../methods/targets.ts";
import type { Parameters } from "../network/parameters.ts";
import type { SiteMethod } from "../programs/setup.ts";
import type { WeightSource } from "../weights/weight-source.ts";
import type { ModelSetup } from "./set-up.ts";
import { setUpModel } from "./set-up.ts";

/**
 * Fills the trained tensors from the adapters that the methods name; `source` are the open weights of the base. A
 * {@link UserError} where an adapter brings what the experiment does not train, or acts otherwise; a
 * finding where the experiment trains more, which then starts anew.
 */
export async function startFromAdapters(
  method: Experiment["method"],
  source: WeightSource,
  setup: ModelSetup,
  parameters: Parameters,
  fullMatch: FullMatch,
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  const filled = new Set<string>();
  for (const { from } of method) {
    if (from === null) continue;
    const adapter = await openAdapter(from);
    try {
      const placed = placeOpenAdapter(adapter, setup.model, fullMatch);
      checkFits(adapter, placed, source, setup, fullMatch);
      await checkCopies(placed, adapter.source, { model: setup.model, source });
      await fillFromAdapter(placed, adapter.source, parameters);
      findings.push(...adapter.findings);
      for (const { parameter } of placed.tensors) filled.add(parameter);
    } finally {
      await adapter.source.close();
    }
  }
  const anew = setup.trained.filter(({ name, start }) => "init" in start && !filled.has(name));
  if (filled.size > 0 && anew.length > 0)
    findings.push({
      code: "starts-beside-adapter",
      severity: "warning",
      message: `The adapter has nothing for ${someOf(anew.map(({ name }) => name.replace(/#\w+$/u, "")))}, which start anew.`,
    });
  return findings;
}

/** What the adapter changes must train here, in the same way. */
function checkFits(
  { folder, config }: OpenAdapter,
  placed: PlacedAdapter,
  source: WeightSource,
  setup: ModelSetup,
  fullMatch: FullMatch,
): void {
  const { value: its } = setUpModel(
    setup.model,
    { method: [placed.choice], quantization: null },
    source.tensors,
    fullMatch,
  );
  const ours = sitesOf(setup);
  const told =
    "place" in config
      ? "Leave `from` out: it starts anew."
      : `Write what it has: r: ${config.r}, alpha: ${config.alpha}, use_rslora: ${config.use_rslora}, target_modules: ${JSON.stringify(config.target_modules)}, its patterns, bias and modules_to_save.`;
  const refuse = (why: string): UserError =>
    new UserError({
      code: "adapter-does-not-fit",
      message: `Training cannot go on from ${folder}: ${why}.`,
      place: { file: folder, field: "method.from" },
      remedy: told,
    });
  for (const [module, site] of sitesOf(its)) {
    const own = ours.get(module);
    if (!own) throw refuse(`it adapts ${module}, which the experiment does not`);
    const difference = differenceOf(site, own);
    if (difference !== undefined) throw refuse(`at ${module} ${difference}`);
  }
  const [embedding] = placed.embeddings;
  if (embedding)
    throw refuse(
      `it has factors at the embedding ${embedding.table.source}, which cannot train here`,
    );
  const trained = new Set(setup.trained.map(({ name }) => name));
  const lost = placed.tensors.find(({ parameter }) => !trained.has(parameter));
  if (lost) throw refuse(`it brings ${lost.parameter}, which the experiment does not train`);
}

/** Methods by module. */
function sitesOf({ setups }: ModelSetup): ReadonlyMap<string, SiteMethod> {
  return new Map(
    [...setups.values()].flatMap(({ spec, sites }) =>
      spec.linears.flatMap(({ name, module }) => {
        const site = sites.get(name);
        return site ? [[module, site] as const] : [];
      }),
    ),
  );
}

/** The first field in which two methods differ, as words. */
function differenceOf(
  { method: its }: SiteMethod,
  { method: ours }: SiteMethod,
): string | undefined {
  if (its.name !== ours.name) return `it is ${its.name}, the experiment's method is ${ours.name}`;
  const field = Object.keys(its.config).find((key) => its.config[key] !== ours.config[key]);
  return field === undefined
    ? undefined
    : `it has ${field} ${String(its.config[field])}, the experiment ${String(ours.config[field])}`;
}

function someOf(names: readonly string[]): string {
  const distinct = [...new Set(names)];
  const shown = distinct.slice(0, 3).join(", ");
  return distinct.length > 3 ? `${shown} and ${distinct.length - 3} more` : shown;
}
