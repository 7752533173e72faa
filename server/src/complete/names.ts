/** @file Names that are not declared: modules of the model, columns of the data, paths of fields, metrics. */
import { linearSites } from "../../../src/engine/methods/targets.ts";
import { isMetric, metrics } from "../../../src/shared/experiment/fields/metrics.ts";
import { fieldsIn } from "../../../src/shared/experiment/lookup.ts";
import { nodeAt } from "../../../src/shared/experiment/tree.ts";
import type { Analysis } from "../analysis.ts";
import { valueOf } from "../facts.ts";
import type { CompletionContext } from "./suggestion.ts";

export interface NamedModule {
  readonly name: string;
  /** How many there are, and of which sizes. */
  readonly detail: string;
}

/** The last parts of the names of linear layers, in the model's order. */
export function moduleNames({ model }: Analysis): readonly NamedModule[] {
  const view = valueOf(model);
  if (view === undefined) return [];
  const kinds = Map.groupBy(linearSites(view), ({ module }) =>
    module.slice(module.lastIndexOf(".") + 1),
  );
  return [...kinds].map(([name, sites]) => {
    const sizes = [...new Set(sites.map((site) => `${site.out} × ${site.in}`))];
    return { name, detail: `${sites.length} of ${sizes.slice(0, 3).join(", ")}` };
  });
}

/** Modules that can be trained whole: all with weights, by their last parts. */
export function allModules({ model }: Analysis): readonly string[] {
  const view = valueOf(model);
  const lasts = view?.modules.map((module) => module.slice(module.lastIndexOf(".") + 1)) ?? [];
  return [...new Set(lasts)].filter((name) => !/^\d+$/.test(name));
}

/** Paths of fields that a sweep can change, such as `method.r`. */
export function fieldPaths({ analysis, cursor }: CompletionContext): readonly string[] {
  const { root } = analysis;
  const sections = fieldsIn(root, cursor.document).filter(
    ({ key }) => !["version", "extends", "sweep", "report", "run", "export"].includes(key),
  );
  return sections.flatMap(({ key, field }) => {
    const inner = fieldsIn(field, nodeAt(cursor.document, [key])).filter(
      (each) => each.key !== "type",
    );
    return [
      ...(["method", "task", "model"].includes(key) ? [key] : []),
      ...inner.map((each) => `${key}.${each.key}`),
    ];
  });
}

/** Columns of the training data. */
export function columnNames({ trainFile, facts }: Analysis): readonly string[] {
  return trainFile === undefined ? [] : (valueOf(facts.data(trainFile))?.columns ?? []);
}

/** Metrics that can decide: of `data.eval`, the measured ones first. */
export function metricNames({ experiment }: Analysis): readonly string[] {
  const measured = experiment?.eval.metrics?.map(({ type }) => type).filter(isMetric) ?? [];
  return [...new Set([...measured, "loss", ...Object.keys(metrics)])].map((name) => `eval.${name}`);
}
