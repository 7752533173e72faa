/** @file `spectune methods`: what the catalog holds. */
import { catalogFields } from "../../engine/catalog.ts";
import { listedRows } from "../../engine/catalog-list.ts";
import type { ListedRow } from "../../engine/catalog-list.ts";
import { UserError, invariant } from "../../shared/errors.ts";
import { describe } from "../../shared/experiment/describe.ts";
import { methodField } from "../../shared/experiment/fields/method.ts";
import { nearest } from "../../shared/experiment/nearest.ts";
import type { Fields, Shape } from "../../shared/schema.ts";
import { fileKey } from "../../shared/schema.ts";
import type { Axis } from "../../engine/catalog-row.ts";
import type { Command } from "../define.ts";
import { jsonOption } from "../define.ts";
import { table } from "../format.ts";

export const methodsCommand: Command = {
  name: "methods",
  summary: "List the catalog: methods, optimizers, quantizers, schedules, metrics; or explain one.",
  usage: "[NAME] [--json]",
  positionals: { min: 0, max: 1 },
  options: { json: jsonOption },
  run(args, console) {
    const rows = listedRows();
    const [name] = args.positionals;
    const chosen = name === undefined ? rows : rows.filter((row) => row.name === name);
    if (name !== undefined && chosen.length === 0) throw unknown(name, rows);
    if (args.flag("json")) {
      const told = name === undefined ? chosen.map(summary) : chosen.map(described);
      console.out(`${JSON.stringify(told)}\n`);
    } else if (name === undefined) console.out(table(columns, chosen.map(cells)));
    else console.out(chosen.map(page).join("\n"));
    return Promise.resolve(0);
  },
};

const columns = [
  ...["name", "kind", "title", "axes", "trains on a 4096² layer", "leaves as"],
  ...["quantized base", "evidence", "paper"],
].map((title) => ({ title }));

function cells(row: ListedRow): readonly string[] {
  const { name, kind, title, paper, axes, trains = "", quantizedBase, evidence } = row;
  const places = Object.keys(axes).join("");
  const [numbers = ""] = trains.split(" with ");
  const base = quantizedBase.split(":")[0] ?? "";
  return [name, kind, title, places, numbers, row.export[0] ?? "", base, evidence.join(", "), paper ?? ""]; // prettier-ignore
}

/** What `--json` gives of each row; scripts rely on these names. */
function summary({ name, title, kind, paperTitle, paper, axes, quantizedBase, ...row }: ListedRow) {
  const { evidence } = row;
  return {
    name,
    title,
    kind,
    paperTitle,
    paper,
    axes,
    export: row.export,
    quantizedBase,
    evidence,
  };
}

function described(row: ListedRow) {
  const fields = Object.entries(row.config).map(([property, field]) => ({
    name: fileKey(property, field),
    default: field.default ?? null,
    doc: field.doc,
  }));
  const { doc, equation, use, trains = null, tensors } = row;
  const { measured = null, task = null } = row;
  return { ...summary(row), doc, equation, use, trains, tensors, measured, task, fields };
}

/** One row on a page. */
export function page(row: ListedRow): string {
  const { name, title, kind, doc, equation, use, trains, tensors } = row;
  const { paperTitle, paper, config, axes, quantizedBase } = row;
  const fields = fieldLines(config);
  const common = fieldLines(kind === "method" ? commonFields(name) : {});
  const leaves = row.export.map((form) => formWords[form] ?? `adapter of peft, ${form.slice(5)}`);
  return [
    `${title} (${kind} ${name})`,
    doc,
    use,
    ...(paper === null ? [] : [paperTitle ?? "", paper]),
    "",
    equation,
    "",
    ...Object.entries(axes).map(([axis, place]) => `${axisWords[axis] ?? axis}: ${place}`),
    ...(leaves.length > 0 ? [`leaves as: ${leaves.join("; ")}`] : []),
    `on a quantized base: ${quantizedBase}`,
    `evidence: ${evidenceText(row)}`,
    ...(row.task === undefined ? [] : [`on the sample's task: ${row.task}`]),
    ...(trains === undefined ? [] : [`trains on a 4096 × 4096 layer at its defaults: ${trains}`]),
    "",
    ...(tensors.length > 0
      ? [tensorWords[kind] ?? "", ...tensors.map((line) => `  ${line}`), ""]
      : []),
    ...(fields.length > 0 ? ["Fields:", ...fields] : ["No fields of its own."]),
    "",
    ...(common.length > 0 ? ["Fields that it shares with other methods:", ...common, ""] : []),
  ].join("\n");
}

const axisWords: Readonly<Record<string, string>> = {
  P: "what trains",
  I: "how it starts",
  R: "how rank is given",
  X: "what is shared",
  U: "how it is updated",
  T: "over time",
  B: "base",
  E: "export",
} satisfies Readonly<Record<Axis, string>>;

/** What stands above a row's tensors. */
const tensorWords: Readonly<Partial<Record<ListedRow["kind"], string>>> = {
  method: "Tensors there:",
  initialiser: "Tensors that it starts:",
  sharing: "Tensors of which it shares some:",
  optimizer: "Tensors beside a weight [4096, 4096] that it trains, at its defaults:",
  quantizer: "A 4096 × 4096 layer takes at its defaults:",
};

const formWords: Readonly<Record<string, string>> = {
  lora: "plain LoRA, exactly",
  "lora-2r": "plain LoRA of twice the rank against the original weights, exactly",
  own: "adapter folder of our own form",
  merged: "merged model",
};

function evidenceText({ evidence, measured }: ListedRow): string {
  if (measured === undefined) return evidence.join(", ");
  const { against, losses, logits, adapter } = measured;
  const loaded = adapter === undefined ? "" : `; saved adapter in peft to ${small(adapter)}`;
  return `${evidence.join(", ")} (ten losses within ${small(losses)} of ${against}, logits after them within ${small(logits)}${loaded})`;
}

function small(value: number): string {
  return value.toExponential(1);
}

function fieldLines(fields: Fields): readonly string[] {
  return describe(fields).map(
    ({ key, expects, default: preset = "none, must be given", doc: what }) =>
      `  ${key}: ${expects} (default ${preset})\n    ${what}`,
  );
}

/** What every method takes beside its own fields, where it has a meaning for this one. */
function commonFields(name: string): Fields {
  const { shape } = methodField(catalogFields);
  const choice = shape.kind === "list" ? shape.of.shape : shape;
  invariant(choice.kind === "choice", "method is not a choice");
  const omitted = choice.variants[name]?.omits ?? [];
  return Object.fromEntries(
    Object.entries(choice.common).filter(
      ([property, field]) =>
        !omitted.includes(fileKey(property, field)) && offersSomething(field.shape),
    ),
  );
}

/** Whether the catalog has a row that the field could name. */
function offersSomething(shape: Shape): boolean {
  return shape.kind !== "choice" || Object.keys(shape.variants).length > 0;
}

function unknown(name: string, rows: readonly ListedRow[]): UserError {
  const near = nearest(
    name,
    rows.map((row) => row.name),
  );
  return new UserError({
    code: "unknown-method",
    message: `The catalog has no ${name}.`,
    remedy:
      near === undefined ? "`spectune methods` lists what there is." : `Did you mean ${near}?`,
  });
}
