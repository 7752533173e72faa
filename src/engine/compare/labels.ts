/** @file What tells compared groups apart, in few words: of many fields the fewest, of long values where they part. */
import { at } from "../../shared/errors.ts";
import type { ConfigDifference } from "../../shared/comparison.ts";
import { inline } from "../../shared/experiment/describe.ts";
import { canonicalJson } from "../../shared/experiment/serialise.ts";
import type { Json } from "../../shared/schema.ts";

/** What still fits beside a table's numbers. */
const longestLabel = 48;
const longestValue = 20;

/**
 * Labels of the fields that have several values. A field that some groups lack, such as `r` of a method
 * without rank, follows from another one and is told only where the labels were equal otherwise. Where labels
 * would be long, as many fields are told as are needed.
 */
export function labelsOf(
  differences: readonly ConfigDifference[],
  count: number,
): readonly string[] {
  const telling = differences.filter(({ values }) => distinct(values.filter(isThere)) > 1);
  const fields = distinctLabels(telling, count) === count ? telling : differences;
  const whole = labelsBy(fields, count);
  const isLong = whole.some((label) => label.length > longestLabel);
  const labels = isLong ? labelsBy(fewest(fields, count), count) : whole;
  const seen = new Map<string, number>();
  return labels.map((label) => {
    const times = (seen.get(label) ?? 0) + 1;
    seen.set(label, times);
    return times === 1 ? label : `${label} (${times})`;
  });
}

/** So few of the fields that the groups are as distinct as with all: each time the one that parts most of them. */
function fewest(fields: readonly ConfigDifference[], count: number): readonly ConfigDifference[] {
  const wanted = distinctLabels(fields, count);
  const chosen = new Set<ConfigDifference>();
  while (distinctLabels([...chosen], count) < wanted) {
    const best = fields
      .filter((field) => !chosen.has(field))
      .map((field) => ({ field, parts: distinctLabels([...chosen, field], count) }))
      .reduce((most, other) => (other.parts > most.parts ? other : most));
    chosen.add(best.field);
  }
  return fields.filter((field) => chosen.has(field));
}

function distinctLabels(fields: readonly ConfigDifference[], count: number): number {
  return new Set(labelsBy(fields, count)).size;
}

function labelsBy(differences: readonly ConfigDifference[], count: number): readonly string[] {
  const names = shortNames(differences.map(({ field }) => field));
  const shown = differences.map(({ values }) => shownValues(values));
  return Array.from({ length: count }, (_, group) => {
    const parts = shown.flatMap((values, index) => {
      const value = values[group];
      return value === undefined ? [] : [`${at(names, index)}=${value}`];
    });
    return parts.length === 0 ? "all" : parts.join(" ");
  });
}

/** Values as a file would say them; long ones without the words that they all begin with, and cut. */
function shownValues(values: ConfigDifference["values"]): readonly (string | undefined)[] {
  const whole = values.map((value) => (value === undefined ? undefined : inline(value)));
  const texts = [...new Set(whole.filter((text) => text !== undefined))];
  if (texts.every((text) => text.length <= longestValue)) return whole;
  const head = commonHead(texts);
  const short = (text: string): string => {
    const rest = head > 0 ? `…${text.slice(head)}` : text;
    return rest.length > longestValue ? `${rest.slice(0, longestValue - 1)}…` : rest;
  };
  const isClear = new Set(texts.map(short)).size === texts.length;
  return isClear ? whole.map((text) => (text === undefined ? undefined : short(text))) : whole;
}

/** Length of what all texts begin with, up to a separator. */
function commonHead([first = "", ...others]: readonly string[]): number {
  let length = 0;
  while (length < first.length && others.every((text) => text[length] === first[length]))
    length += 1;
  const head = first.slice(0, length);
  return Math.max(...["/", "\\", " "].map((separator) => head.lastIndexOf(separator))) + 1;
}

/** `method.r` is told as `r`, and `method.type` as `method`, unless another field would be told so. */
function shortNames(fields: readonly string[]): readonly string[] {
  const candidates = fields.map((field) => {
    const steps = field
      .split(".")
      .filter((step, index, all) => step !== "type" || index < all.length - 1);
    return steps.map((_, start) => steps.slice(steps.length - 1 - start).join("."));
  });
  return candidates.map((own, index) => {
    const free = own.find((name) =>
      candidates.every((others, other) => other === index || !others.includes(name)),
    );
    return free ?? at(fields, index);
  });
}

/** How many different values there are. */
export function distinct(values: readonly (Json | undefined)[]): number {
  return new Set(values.map((value) => (value === undefined ? "" : canonicalJson(value)))).size;
}

function isThere(value: Json | undefined): boolean {
  return value !== undefined;
}
