/** @file `spectune methods`: what the catalog holds. */
import type { CatalogRow } from "../../engine/catalog-row.ts";
import {
  activeLayers,
  catalogFields,
  initialisers,
  methods,
  optimizers,
  quantizers,
  sharings,
} from "../../engine/catalog.ts";
import { learningRateSchedules } from "../../engine/schedules/learning-rate.ts";
import { UserError, invariant } from "../../shared/errors.ts";
import { describe } from "../../shared/experiment/describe.ts";
import { methodField } from "../../shared/experiment/fields/method.ts";
import { nearest } from "../../shared/experiment/nearest.ts";
import type { Fields, Shape } from "../../shared/schema.ts";
import { fileKey } from "../../shared/schema.ts";
import type { Command } from "../define.ts";
import { jsonOption } from "../define.ts";
import { table } from "../format.ts";

interface Row extends Omit<CatalogRow, "paper" | "paperTitle"> {
  readonly kind: string;
  /** What has none is said in a sentence. */
  readonly paper?: string;
  readonly paperTitle?: string;
}

const rows: readonly Row[] = [
  ...methods.map((row) => ({ ...row, kind: "method" })),
  ...initialisers.map((row) => ({ ...row, kind: "initialiser" })),
  ...sharings.map((row) => ({ ...row, kind: "sharing" })),
  ...optimizers.map((row) => ({ ...row, kind: "optimizer" })),
  ...activeLayers.map((row) => ({ ...row, kind: "active-layers" })),
  ...quantizers.map((row) => ({ ...row, kind: "quantizer" })),
  ...Object.entries(learningRateSchedules).map(([name, { doc }]) => ({
    name,
    title: `Learning rate, ${name}`,
    kind: "schedule",
    doc,
    config: {},
  })),
];

export const methodsCommand: Command = {
  name: "methods",
  summary: "List the catalog: methods, optimizers, quantizers, schedules; or explain one.",
  usage: "[NAME] [--json]",
  positionals: { min: 0, max: 1 },
  options: { json: jsonOption },
  run(args, console) {
    const [name] = args.positionals;
    const chosen = name === undefined ? rows : rows.filter((row) => row.name === name);
    if (name !== undefined && chosen.length === 0) throw unknown(name);
    if (args.flag("json")) console.out(`${JSON.stringify(chosen.map(described))}\n`);
    else if (name === undefined)
      console.out(
        table(
          [{ title: "name" }, { title: "kind" }, { title: "title" }, { title: "paper" }],
          chosen.map(({ name: n, kind, title, paper = "" }) => [n, kind, title, paper]),
        ),
      );
    else console.out(chosen.map(page).join("\n"));
    return Promise.resolve(0);
  },
};

function described({ name, title, kind, doc, paperTitle, paper, config }: Row) {
  const fields = Object.entries(config).map(([property, field]) => ({
    name: fileKey(property, field),
    default: field.default ?? null,
    doc: field.doc,
  }));
  return { name, title, kind, doc, paperTitle, paper, fields };
}

/** One row on a page. */
function page({ name, title, kind, doc, paperTitle, paper, config }: Row): string {
  const fields = fieldLines(config);
  const common = fieldLines(kind === "method" ? commonFields(name) : {});
  return [
    `${title} (${kind} ${name})`,
    doc,
    ...(paper === undefined ? [] : [paperTitle, paper]),
    "",
    ...(fields.length > 0 ? ["Fields:", ...fields] : ["No fields of its own."]),
    "",
    ...(common.length > 0 ? ["Fields that it shares with other methods:", ...common, ""] : []),
  ].join("\n");
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

function unknown(name: string): UserError {
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
