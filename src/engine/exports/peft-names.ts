/** @file Names by which peft finds modules: the shortest that select exactly those that are meant. */
import { lastPart, within } from "../models/module-names.ts";

/** How peft's wrapper calls the model within it. */
export const modulePrefix = "base_model.model.";

/**
 * Names for `target_modules`: the last part of a module's name where all modules of the model that end
 * in it are meant, else full names. `modules` are all of the model; those within `saved` are out of
 * peft's sight.
 */
export function targetNames(
  chosen: readonly string[],
  modules: readonly string[],
  saved: readonly string[],
): readonly string[] {
  const wanted = new Set(chosen);
  const visible = modules.filter((module) => !saved.some((name) => within(module, name)));
  const names = chosen.map((module) => {
    const short = lastPart(module);
    return visible.every((other) => lastPart(other) !== short || wanted.has(other))
      ? short
      : module;
  });
  return [...new Set(names)].toSorted();
}

/**
 * `rank_pattern` or `alpha_pattern`: what differs from `common`, under last parts of names where all
 * adapted modules that end in them agree, else under full names.
 */
export function patternOf(
  values: ReadonlyMap<string, number>,
  common: number,
): Readonly<Record<string, number>> {
  const entries = [...values].filter(([, value]) => value !== common);
  const pattern = entries.map(([module, value]): [string, number] => {
    const short = lastPart(module);
    const agree = [...values].every(([other, its]) => lastPart(other) !== short || its === value);
    return [agree ? short : module, value];
  });
  return Object.fromEntries(pattern.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/**
 * Names for `modules_to_save`: the last part where peft, which compares the ends of names letter by letter
 * (`norm` takes `input_layernorm` too), finds nothing else by it, else full names. What lies within a
 * module that is saved is not named.
 */
export function savedNames(
  names: readonly string[],
  modules: readonly string[],
): readonly string[] {
  const meant = modules.filter((module) => names.some((name) => `.${module}`.endsWith(`.${name}`)));
  const outer = meant.filter((module) => !meant.some((other) => module.startsWith(`${other}.`)));
  const result = outer.map((module) => {
    const short = lastPart(module);
    return savedModules([short], modules).every((other) => outer.includes(other)) ? short : module;
  });
  return [...new Set(result)].toSorted();
}

/** The modules that peft saves whole under these names. */
export function savedModules(
  names: readonly string[],
  modules: readonly string[],
): readonly string[] {
  return modules.filter((module) => names.some((name) => module.endsWith(name)));
}

/** Every module that has tensors in it, itself or further down. */
export function modulesOf(tensors: Iterable<string>): readonly string[] {
  const modules = new Set<string>();
  for (const tensor of tensors) {
    const parts = tensor.split(".");
    for (let end = 1; end < parts.length; end += 1) modules.add(parts.slice(0, end).join("."));
  }
  return [...modules];
}

/** The most frequent value, the first among equals. */
export function mostCommon(values: readonly number[]): number | undefined {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  const most = Math.max(...counts.values());
  return [...counts].find(([, count]) => count === most)?.[0];
}
