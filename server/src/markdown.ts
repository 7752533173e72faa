/** @file Declarations as Markdown, for hover and completion. */
import { describeField, expectation } from "../../src/shared/experiment/describe.ts";
import { namedFields } from "../../src/shared/experiment/lookup.ts";
import type { Field, Variant } from "../../src/shared/schema.ts";

/** What a field is for, what it takes, its default, unit and other names. */
export function fieldMarkdown(name: string, field: Field<unknown>): string {
  const { doc, expects, default: preset, unit, aliases } = describeField(name, field);
  const facts = [
    `Takes ${expects}.`,
    preset === undefined || preset === "null" ? "" : `Default: \`${preset}\`.`,
    unit === undefined ? "" : `In ${unit}.`,
    field.presence === "required" ? "Required." : "",
  ].filter((part) => part !== "");
  const words = wordList(field);
  return [
    `**${name}**`,
    doc,
    facts.join(" "),
    ...(words === "" ? [] : [words]),
    ...(aliases.length === 0
      ? []
      : [`Elsewhere called ${aliases.map((each) => `\`${each}\``).join(", ")}.`]),
  ].join("\n\n");
}

function wordList({ shape }: Field<unknown>): string {
  if (shape.kind !== "oneOf") return "";
  return [...shape.literals]
    .filter(([, doc]) => doc !== "")
    .map(([word, doc]) => `- \`${word}\`: ${doc}`)
    .join("\n");
}

/** A method, optimizer or other row of the catalog: what it is, its fields, its paper. */
export function variantMarkdown(name: string, { title, doc, paper, fields }: Variant): string {
  const own = namedFields(fields).map(
    ({ key, field }) => `- \`${key}\`: ${field.doc} ${inShort(field)}`,
  );
  return [
    `**${title ?? name}**`,
    doc.endsWith(".") ? doc : `${doc}.`,
    ...(own.length === 0 ? [] : [own.join("\n")]),
    ...(paper === undefined ? [] : [`[Paper](${paper})`]),
  ].join("\n\n");
}

function inShort(field: Field<unknown>): string {
  const { default: preset } = describeField("", field);
  if (preset === "null") return "(unset)";
  return preset === undefined ? `(${expectation(field.shape)})` : `(${preset})`;
}
