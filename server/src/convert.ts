/** @file Makes an experiment of somebody else's configuration: adapter_config.json, axolotl, LLaMA-Factory, TRL. */
import { setAt } from "../../src/shared/experiment/change.ts";
import { canonicalise } from "../../src/shared/experiment/canonical-names.ts";
import type { CatalogFields } from "../../src/shared/experiment/fields/catalog-fields.ts";
import {
  documentField,
  formatVersion,
} from "../../src/shared/experiment/fields/experiment-fields.ts";
import type { ExperimentFinding } from "../../src/shared/experiment/findings.ts";
import { collector } from "../../src/shared/experiment/findings.ts";
import { fieldsIn } from "../../src/shared/experiment/lookup.ts";
import { readText } from "../../src/shared/experiment/located.ts";
import { normalise } from "../../src/shared/experiment/normalise.ts";
import type { Located, MapNode, Path } from "../../src/shared/experiment/tree.ts";
import { nodeAt, plain } from "../../src/shared/experiment/tree.ts";
import { locate } from "../../src/shared/experiment/tree.ts";
import { writeYaml } from "../../src/shared/experiment/write-yaml.ts";
import { isMap, shortForms } from "./short-forms.ts";
import type { Field, Json } from "../../src/shared/schema.ts";

/** A field that did not come over, and why. */
export interface NotCarried {
  readonly field: string;
  readonly said: string;
  readonly because: string;
}

export interface Converted {
  readonly text: string;
  readonly notCarried: readonly NotCarried[];
  /** What is wrong with the source itself. */
  readonly findings: readonly ExperimentFinding[];
}

/** Nothing is dropped in silence: what has no counterpart stands in `notCarried`, and in comments of the text. */
export function convertForeign(file: string, text: string, catalog: CatalogFields): Converted {
  const root = documentField(catalog);
  const { findings, report } = collector();
  const read = readText(file, text, report);
  const source = withoutUnset(read.root);
  const faults = collector();
  let document = canonicalise(root, source, faults.report);
  const notCarried: NotCarried[] = faults.findings.flatMap((finding) =>
    finding.code === "foreign-without-counterpart" || finding.code === "said-twice"
      ? [refusal(finding, source, text)]
      : [],
  );
  for (let round = 0; round < 200; round += 1) {
    const fault = normalise(document, catalog).findings.find(isOfField);
    const path = fault?.place.field?.split(".");
    if (fault === undefined || path === undefined || nodeAt(document, path) === undefined) break;
    notCarried.push(refusal(fault, document, text));
    document = withoutPath(document, path);
  }
  return { text: written(document, root, notCarried), notCarried, findings };
}

/** A field that does not exist here, or whose value means nothing. */
function isOfField({ code, severity }: ExperimentFinding): boolean {
  return (
    severity === "error" && !["missing-field", "missing-value", "data-file-kind"].includes(code)
  );
}

/** Configurations written by programs say of every field that it is unset; peft's `lora_bias: false` is one. */
function withoutUnset(map: MapNode): MapNode {
  const off = ({ key, value }: MapNode["entries"][number]) =>
    key === "lora_bias" && value.kind === "bool" && !value.value;
  return { ...map, entries: map.entries.filter((each) => !isUnset(each.value) && !off(each)) };
}

function isUnset(node: Located): boolean {
  return (
    node.kind === "null" ||
    (node.kind === "map" && node.entries.length === 0) ||
    (node.kind === "list" && node.items.length === 0)
  );
}

function refusal(
  { message, place }: ExperimentFinding,
  document: MapNode,
  text: string,
): NotCarried {
  const path = place.field?.split(".") ?? [];
  const written = text.slice(place.offset, place.endOffset).replaceAll(/^"|"$/g, "");
  const node = nodeAt(document, path) ?? nodeAt(document, [written]);
  const said = node === undefined ? "" : JSON.stringify(plain(node));
  const isKey = /^\w+$/.test(written) && nodeAt(document, [written]) !== undefined;
  return {
    field: isKey ? written : (place.field ?? written),
    said: said.length > 80 ? `${said.slice(0, 80)}…` : said,
    because: message,
  };
}

/** The document without a field, and without the maps that it leaves empty. */
function withoutPath(node: MapNode, path: Path): MapNode {
  const [step, ...rest] = path;
  const entries = node.entries.flatMap((entry) => {
    if (entry.key !== step) return [entry];
    if (rest.length === 0 || entry.value.kind !== "map") return [];
    const inner = withoutPath(entry.value, rest);
    return inner.entries.length === 0 ? [] : [{ ...entry, value: inner }];
  });
  return { ...node, entries };
}

/** What the source cannot say, and an experiment must. */
const needed = [
  { path: ["model"], value: "./model" },
  { path: ["data", "train"], value: "./data/train.jsonl" },
  { path: ["method", "type"], value: "lora" },
] as const;

function written(
  document: MapNode,
  root: Field<unknown>,
  notCarried: readonly NotCarried[],
): string {
  const missing = needed.filter(({ path }) => nodeAt(document, path) === undefined);
  const complete = missing.reduce<Located>(
    (map, { path, value }) => setAt(root, map, path, locate(value, document.at)) ?? map,
    document,
  );
  const value = shortForms(ordered(root, complete));
  const said = isMap(value) ? value : {};
  const guessed = missing.filter(({ path }) => path[0] !== "method");
  const comments = [
    ...notCarried.map(
      ({ field, said: was, because }) =>
        `# Not carried over: ${field}${was === "" ? "" : `: ${was}`}. ${because.replaceAll("\n", " ")}`,
    ),
    ...guessed.map(({ path }) => `# To be filled in: ${path.join(".")}.`),
  ];
  const lead = comments.length === 0 ? "" : `${comments.join("\n")}\n`;
  const { version = formatVersion, ...rest } = said;
  return lead + writeYaml({ version, ...rest });
}

/** Fields in the order of their declaration. */
function ordered(field: Field<unknown>, node: Located): Json {
  if (node.kind !== "map") return plain(node);
  const shape = field.shape.kind === "list" ? field.shape.of : field;
  const order = fieldsIn(shape, node);
  const place = (key: string) => {
    const index = order.findIndex((each) => each.key === key);
    return index < 0 ? order.length : index;
  };
  const sorted = node.entries.toSorted((a, b) => place(a.key) - place(b.key));
  return Object.fromEntries(
    sorted.map(({ key, value }) => {
      const inner = order.find((each) => each.key === key)?.field;
      return [key, inner === undefined ? plain(value) : ordered(inner, value)] as const;
    }),
  );
}
