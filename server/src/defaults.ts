/** @file Writes out what a document leaves to defaults, comments and everything it says kept. */
import { hasErrors } from "../../src/shared/findings.ts";
import { inline } from "../../src/shared/experiment/describe.ts";
import { applyEdits, insertionInto, replace } from "../../src/shared/experiment/edits.ts";
import type { Edit } from "../../src/shared/experiment/findings.ts";
import { identityText, plainExperiment } from "../../src/shared/experiment/serialise.ts";
import type { MapNode } from "../../src/shared/experiment/tree.ts";
import { entryOf } from "../../src/shared/experiment/tree.ts";
import { writeYaml } from "../../src/shared/experiment/write-yaml.ts";
import type { Json } from "../../src/shared/schema.ts";
import type { JsonMap } from "./short-forms.ts";
import { isList, isMap, shortForms } from "./short-forms.ts";
import type { Analysis } from "./analysis.ts";
import { analyse } from "./analysis.ts";

/**
 * The text with the defaults of one section, or of all, written out; unset fields are left out.
 * `undefined` where the document has errors, extends another, or would come to say something else.
 */
export function withDefaults(analysis: Analysis, section: string | undefined): string | undefined {
  const { experiment, catalog, text, file, facts, normalised } = analysis;
  const root = analysis.written();
  const wrong = normalised.findings.some(
    ({ severity, code }) => severity === "error" || code === "foreign-name",
  );
  if (experiment === undefined || wrong || entryOf(root, "extends") !== undefined) return undefined;
  const values = plainExperiment(experiment, catalog);
  const wanted = Object.entries(values).filter(([key]) => section === undefined || key === section);
  const edits = wanted.flatMap(([key, value]) => sectionEdits(root, key, value));
  // Where several maps end at one place, the inner ones end before the outer ones go on.
  const depth = ({ text: added }: Edit): number => /^\n? */.exec(added)?.[0].length ?? 0;
  const after = applyEdits(
    text,
    edits.toSorted((a, b) => depth(b) - depth(a)),
  );
  const again = analyse({ file, text: after }, facts, catalog);
  const same =
    again.experiment !== undefined &&
    !hasErrors(again.normalised.findings) &&
    identityText(again.experiment, catalog) === identityText(experiment, catalog);
  return same ? after : undefined;
}

function sectionEdits(root: MapNode, key: string, value: Json): readonly Edit[] {
  const whole = withoutUnset(value);
  const said = whole === undefined ? undefined : shortForms(whole);
  if (said === undefined || (isMap(said) && Object.keys(said).length === 0)) return [];
  const entry = entryOf(root, key);
  const { source } = root.at;
  if (entry === undefined) {
    const end = source.text.length;
    const lead = source.text === "" || source.text.endsWith("\n") ? "" : "\n";
    return [{ file: source.file, start: end, end, text: `${lead}${writeYaml({ [key]: said })}` }];
  }
  const { value: node } = entry;
  const only = isList(said) && said.length === 1 ? said[0] : said;
  const map = isMap(only) ? only : undefined;
  if (map === undefined) return [];
  if (node.kind === "map") return missingEdits(node, map);
  // A short form such as `method: lora`.
  if (node.kind !== "list" && node.at.start < node.at.end && Object.keys(map).length > 1)
    return [replace({ ...node.at, start: entry.keyAt.start }, writeYaml({ [key]: map }).trimEnd())];
  return [];
}

function missingEdits(node: MapNode, values: JsonMap): readonly Edit[] {
  // Each addition to `{}` would be its first.
  const [first, ...others] = Object.entries(values);
  if (node.flow && node.entries.length === 0 && first !== undefined) {
    const rest = others.map(([key, value]) => `, ${key}: ${inline(value)}`);
    return insertionInto(node, first[0], `${inline(first[1])}${rest.join("")}`);
  }
  return Object.entries(values).flatMap(([key, value]) => {
    const entry = entryOf(node, key);
    if (entry === undefined) return insertionInto(node, key, inline(value));
    return entry.value.kind === "map" && isMap(value) ? missingEdits(entry.value, value) : [];
  });
}

/** `null` says that a field is unset, which its absence says as well. */
function withoutUnset(value: Json): Json | undefined {
  if (value === null) return undefined;
  if (Array.isArray(value)) return value.map((item: Json) => withoutUnset(item) ?? null);
  if (!isMap(value)) return value;
  const entries = Object.entries(value).flatMap(([key, inner]) => {
    const said = withoutUnset(inner);
    return said === undefined ? [] : [[key, said] as const];
  });
  return Object.fromEntries(entries);
}
