/** @file What is said about the thing under the cursor: a field, a value, a module, a file. */
import { linearSites, targetSites } from "../../src/engine/methods/targets.ts";
import { numberText } from "../../src/shared/experiment/describe.ts";
import type { Entry, Located, Location, Path } from "../../src/shared/experiment/tree.ts";
import type { Field, Shape, Variants } from "../../src/shared/schema.ts";
import type { Analysis } from "./analysis.ts";
import { fullMatchOf } from "./checks/fullmatch.ts";
import { codes } from "./codes.ts";
import type { Declared } from "./declared.ts";
import { declaredAt } from "./declared.ts";
import { valueOf } from "./facts.ts";
import { fieldMarkdown, variantMarkdown } from "./markdown.ts";
import { countText } from "./numbers.ts";

export interface Hover {
  readonly start: number;
  readonly end: number;
  /** Markdown. */
  readonly text: string;
}

interface Spot {
  readonly path: Path;
  readonly node: Located;
  /** The key, where the cursor is on it and not on the value. */
  readonly key: Location | undefined;
}

export function hover(analysis: Analysis, offset: number): Hover | undefined {
  const silenced = suppressionHover(analysis.text, offset);
  if (silenced !== undefined) return silenced;
  const spot = spotAt(analysis.written(), offset, []);
  if (spot === undefined) return undefined;
  const { path, node, key } = spot;
  const declared = declaredAt(analysis.root, analysis.written(), path);
  if (declared === undefined) return undefined;
  const name = path.at(-1) ?? "";
  if (key !== undefined)
    return {
      start: key.start,
      end: key.end,
      text: fieldMarkdown(canonicalName(declared), declared.field),
    };
  const parts = [...valueParts(analysis, declared, node, path)];
  if (parts.length === 0)
    parts.push(fieldMarkdown(/^\d+$/.test(name) ? canonicalName(declared) : name, declared.field));
  return { start: node.at.start, end: node.at.end, text: parts.join("\n\n") };
}

function canonicalName({ path }: Declared): string {
  return path.findLast((step) => !/^\d+$/.test(step)) ?? "experiment";
}

/** The innermost key or single value that holds `offset`. */
function spotAt(node: Located, offset: number, path: Path): Spot | undefined {
  const holds = ({ start, end }: Location) => start <= offset && offset <= end && start < end;
  if (node.kind === "map") {
    for (const entry of node.entries) {
      const inner = inEntry(entry, offset, [...path, entry.key], holds);
      if (inner !== undefined) return inner;
    }
    return undefined;
  }
  if (node.kind === "list") {
    for (const [index, item] of node.items.entries()) {
      const inner = spotAt(item, offset, [...path, String(index)]);
      if (inner !== undefined) return inner;
    }
    return undefined;
  }
  return holds(node.at) ? { path, node, key: undefined } : undefined;
}

function inEntry(
  { keyAt, value }: Entry,
  offset: number,
  path: Path,
  holds: (at: Location) => boolean,
): Spot | undefined {
  if (holds(keyAt)) return { path, node: value, key: keyAt };
  return spotAt(value, offset, path);
}

function valueParts(
  analysis: Analysis,
  { field, path: canonical }: Declared,
  node: Located,
  path: Path,
): readonly string[] {
  const computed = analysis.normalised.computed.find(
    ({ at }) => at.source.file === analysis.file && at.start === node.at.start,
  );
  if (computed !== undefined)
    return [`\`${computed.expression.trim()}\` = **${numberText(computed.value)}**`];
  if (node.kind !== "text") return [];
  const variants = variantsAt(analysis, field, path);
  const variant =
    variants !== undefined && Object.hasOwn(variants, node.value)
      ? variants[node.value]
      : undefined;
  if (variant !== undefined) return [variantMarkdown(node.value, variant)];
  const word = wordDoc(field.shape, node.value);
  if (word !== undefined)
    return [`**${node.value}**`, word, ...worldParts(analysis, canonical, node.value)];
  return worldParts(analysis, canonical, node.value);
}

/** Rows that a value can name: of the choice itself, or of the one whose `type` it is. */
function variantsAt(
  { root, written }: Analysis,
  field: Field<unknown>,
  path: Path,
): Variants | undefined {
  const owner =
    path.at(-1) === "type" ? declaredAt(root, written(), path.slice(0, -1))?.field : undefined;
  const shape = listItem((owner ?? field).shape);
  return shape.kind === "choice" || shape.kind === "keyed" ? shape.variants : undefined;
}

function listItem(shape: Shape): Shape {
  return shape.kind === "list" ? shape.of.shape : shape;
}

function wordDoc(shape: Shape, word: string): string | undefined {
  if (shape.kind === "union")
    return shape.options
      .map((option) => wordDoc(option.shape, word))
      .find((doc) => doc !== undefined);
  if (shape.kind === "list") return wordDoc(shape.of.shape, word);
  const doc = shape.kind === "oneOf" ? shape.literals.get(word) : undefined;
  return doc === "" ? undefined : doc;
}

/** What the model, the data or the disk say about a name. */
function worldParts(analysis: Analysis, path: Path, value: string): readonly string[] {
  const field = path.filter((step) => !/^\d+$/.test(step)).join(".");
  switch (field) {
    case "model":
    case "model.id":
      return modelParts(analysis);
    case "method.target_modules":
      return targetParts(analysis, path, value);
    case "data.train":
    case "data.eval":
    case "data.test":
      return dataParts(analysis, value);
    default:
      return [];
  }
}

function modelParts({ model }: Analysis): readonly string[] {
  const view = valueOf(model);
  if (view === undefined) return model.state === "absent" ? [model.why.message] : [];
  const { facts, layers, maxLength } = view;
  const parameters = [...facts.tensors.values()].reduce(
    (sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1),
    0,
  );
  const told = [
    `${view.model?.transformersClass ?? "Not an architecture that trains here"}.`,
    `${countText(parameters)} parameters in ${countText(facts.tensors.size)} tensors`,
    ...(layers === undefined ? [] : [`${layers} layers`]),
    ...(maxLength === undefined ? [] : [`${countText(maxLength)} positions`]),
  ];
  const kinds = Map.groupBy(linearSites(view), ({ module }) =>
    module.slice(module.lastIndexOf(".") + 1),
  );
  const rows = [...kinds].map(([name, sites]) => {
    const sizes = [...new Set(sites.map((site) => `${site.out} × ${site.in}`))]
      .slice(0, 3)
      .join(", ");
    return `| \`${name}\` | ${sites.length} | ${sizes} |`;
  });
  const [first, ...rest] = told;
  return [
    `${first} ${rest.join(", ")}.`,
    ...(facts.hubId === undefined ? [] : [`\`${facts.hubId}\` at \`${facts.snapshot ?? ""}\``]),
    ["| layer | count | out × in |", "|---|---|---|", ...rows].join("\n"),
  ];
}

/** Which layers a name or an expression takes. */
function targetParts(analysis: Analysis, path: Path, value: string): readonly string[] {
  const view = valueOf(analysis.model);
  if (view === undefined) return [];
  const isItem = /^\d+$/.test(path.at(-1) ?? "");
  const fields = {
    target_modules: isItem ? [value] : value,
    exclude_modules: null,
    layers_to_transform: null,
    layers_pattern: null,
    modules_to_save: [],
  };
  const { sites } = targetSites(view, fields, fullMatchOf(analysis.facts, view));
  const shown = sites.slice(0, 6).map((site) => `- \`${site.module}\` (${site.out} × ${site.in})`);
  const more = sites.length > shown.length ? [`- … ${sites.length - shown.length} more`] : [];
  return [
    `\`${value}\` takes ${sites.length} of ${linearSites(view).length} layers.`,
    [...shown, ...more].join("\n"),
  ];
}

function dataParts({ facts, resolve }: Analysis, file: string): readonly string[] {
  const found = facts.data(resolve(file));
  if (found.state === "absent") return [found.why.message];
  const data = valueOf(found);
  if (data === undefined) return [];
  return [
    `${data.exact ? "" : "About "}${countText(data.rows)} rows.`,
    `Columns: ${data.columns.map((name) => `\`${name}\``).join(", ")}.`,
    ...[...data.values]
      .slice(0, 3)
      .map(
        ([name, values]) =>
          `\`${name}\`: ${values.slice(0, 12).join(", ")}${values.length > 12 ? " …" : ""}`,
      ),
  ];
}

/** The reason of a code in a `spectune-ignore` comment. */
function suppressionHover(text: string, offset: number): Hover | undefined {
  const lineStart = text.lastIndexOf("\n", offset - 1) + 1;
  const newline = text.indexOf("\n", offset);
  const line = text.slice(lineStart, newline < 0 ? text.length : newline);
  const comment = /#\s*spectune-ignore(?:-file)?:/.exec(line);
  if (comment === null) return undefined;
  for (const { 0: code, index } of line.matchAll(/[\w-]+/g)) {
    const start = lineStart + index;
    const row = codes.find((each) => each.code === code);
    if (
      row !== undefined &&
      index > comment.index &&
      start <= offset &&
      offset <= start + code.length
    )
      return { start, end: start + code.length, text: `**${code}**\n\n${row.doc}` };
  }
  return undefined;
}
