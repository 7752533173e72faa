/** @file The catalog as tables in Markdown, with what each row costs on one layer. */
import {
  activeLayers,
  initialisers,
  methods,
  optimizers,
  quantizers,
  sharings,
} from "../../engine/catalog.ts";
import {
  exampleLayer,
  heldOnLayer,
  layerWeight,
  trainedOnLayer,
} from "../../engine/catalog-layer.ts";
import type { CatalogRow } from "../../engine/catalog-row.ts";
import { defaultsOf } from "../../engine/config.ts";
import type { Method } from "../../engine/methods/define.ts";
import { isPlaced } from "../../engine/methods/placed.ts";
import { layoutBytes } from "../../engine/network/parameters.ts";
import type { UpdateRule } from "../../engine/optimizers/define.ts";
import { learningRateSchedules } from "../../engine/schedules/learning-rate.ts";

const layer = exampleLayer;
const weights = layer.in * layer.out;

/** All tables; the numbers are those of each row's defaults. */
export function catalogTables(): string {
  return [
    table("method", ["trains on a 4096 × 4096 layer", "leaves as"], methods, (method) => [
      trainedOnLayer(method),
      leaves(method),
    ]),
    table("start of a pair", [], initialisers, () => []),
    table("sharing", [], sharings, () => []),
    table("quantizer", ["a 4096 × 4096 layer takes"], quantizers, (quantizer) => [
      heldOnLayer(quantizer),
    ]),
    table("optimizer", ["keeps for each trained weight"], optimizers, (rule) => [kept(rule)]),
    table("schedule over layers", [], activeLayers, () => []),
    [
      "| schedule | what the learning rate does after the warm-up |\n|---|---|\n",
      ...Object.entries(learningRateSchedules).map(
        ([name, { doc }]) => `| \`${name}\` | ${doc} |\n`,
      ),
    ].join(""),
  ].join("\n");
}

function table<R extends CatalogRow>(
  kind: string,
  columns: readonly string[],
  rows: readonly R[],
  cells: (row: R) => readonly string[],
): string {
  const titles = [kind, "what it does", ...columns, "paper"];
  const lines = rows.map((row) => [
    `${row.title} (\`${row.name}\`)`,
    row.doc,
    ...cells(row),
    `[${row.paperTitle}](${row.paper})`,
  ]);
  return [titles, titles.map(() => "---"), ...lines]
    .map((line) => `| ${line.join(" | ")} |\n`)
    .join("");
}

/** What a run of it can be exported as. */
function leaves(method: Method): string {
  if (method.kind === "tensors")
    return method.peft ? `${method.peft.type} adapter for peft; whole model` : "whole model";
  if (isPlaced(method)) {
    const adapter =
      method.peftType === undefined
        ? "adapter of our own form"
        : `${method.peftType} adapter for peft`;
    return method.staysApart === undefined ? `${adapter}; merged model` : adapter;
  }
  if (method.mergesOnly !== undefined) return "merged model";
  const { peft } = method;
  if (peft === undefined) return "plain LoRA adapter for peft; merged model";
  const type = peft.dora ? "DoRA" : peft.type === "LORA" ? "LoRA" : peft.type;
  return `${type} adapter for peft; merged model`;
}

/** State of the layer's weight, for each of its elements. */
function kept(row: UpdateRule): string {
  const rule = row.bind(defaultsOf(row));
  const { state } = layoutBytes([layerWeight], rule);
  const names = [...(rule.own?.(layerWeight)?.keys() ?? rule.state)];
  const bytes = Number((state / weights).toPrecision(2));
  return `${bytes} bytes${names.length > 0 ? ` (${names.map((name) => `\`${name}\``).join(", ")})` : ""}`;
}
