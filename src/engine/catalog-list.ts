/** @file Every row of the catalog in one form: what `spectune methods` lists and tables of documents show. Pure. */
import { metrics } from "../shared/experiment/fields/metrics.ts";
import type { Fields } from "../shared/schema.ts";
import { measured } from "./catalog-evidence.ts";
import type { Measured } from "./catalog-evidence.ts";
import { taskResults } from "./catalog-results.ts";
import { defaultsOf } from "./config.ts";
import {
  heldOnLayer,
  pairTensors,
  stateOnLayer,
  tensorsOnLayer,
  trainedOnLayer,
} from "./catalog-layer.ts";
import type { Axis, CatalogRow, Evidence } from "./catalog-row.ts";
import {
  activeLayers,
  initialisers,
  methods,
  optimizers,
  quantizers,
  sharings,
} from "./catalog.ts";
import type { Method } from "./methods/define.ts";
import { isPlaced } from "./methods/placed.ts";
import { learningRateSchedules } from "./schedules/learning-rate.ts";

export type RowKind =
  | "method"
  | "initialiser"
  | "sharing"
  | "optimizer"
  | "active-layers"
  | "quantizer"
  | "schedule"
  | "metric";

export interface ListedRow {
  readonly name: string;
  readonly title: string;
  readonly kind: RowKind;
  readonly doc: string;
  readonly equation: string;
  /** When to choose it. */
  readonly use: string;
  /** What it trains on a layer [4096, 4096] at its defaults; of methods alone. */
  readonly trains: string | undefined;
  /** Its tensors there, a line each: a method's own, an optimizer's state, what a start fills. */
  readonly tensors: readonly string[];
  /** Full title and address; null for what has no paper. */
  readonly paperTitle: string | null;
  readonly paper: string | null;
  readonly axes: Partial<Readonly<Record<Axis, string>>>;
  /**
   * How what it made can leave, the best first: `peft:TYPE`, `lora` (exactly a plain LoRA), `lora-2r` (exactly one of
   * twice the rank against the original weights), `own` (an adapter folder of our own form), `merged`. Empty for rows
   * that leave the form to the method.
   */
  readonly export: readonly string[];
  /** Whether it works on a quantized base, or why not. */
  readonly quantizedBase: "yes" | `no: ${string}`;
  readonly evidence: readonly Evidence[];
  readonly measured: Measured | undefined;
  /** What it scored on the sample's task, in words. */
  readonly task: string | undefined;
  readonly config: Fields;
}

export function listedRows(): readonly ListedRow[] {
  return [
    ...methods.map((row) =>
      listed("method", row, {
        ...{ export: formsOf(row), trains: trainedOnLayer(row), tensors: tensorsOnLayer(row) },
      }),
    ),
    ...initialisers.map((row) =>
      listed("initialiser", row, {
        ...{ export: [startForm(row.axes?.E), "merged"], tensors: pairTensors(row.takesCore) },
      }),
    ),
    ...sharings.map((row) =>
      listed("sharing", row, { export: ["lora", "merged"], tensors: pairTensors(false) }),
    ),
    ...optimizers.map((row) => listed("optimizer", row, { tensors: stateOnLayer(row) })),
    ...activeLayers.map((row) => listed("active-layers", row)),
    ...quantizers.map((row) => listed("quantizer", row, { tensors: [heldOnLayer(row)] })),
    ...Object.entries(learningRateSchedules).map(([name, { doc, equation, use }]) => {
      const title = `Learning rate, ${name}`;
      const axes = { T: "learning rate" };
      return listed("schedule", { name, title, doc, equation, use, config: {}, axes });
    }),
    ...Object.entries(metrics).map(([name, { doc, equation, use, fields: config }]) =>
      listed("metric", { name, title: `Metric, ${name}`, doc, equation, use, config }),
    ),
  ];
}

/** A row of the catalog, or one that is nobody's paper. */
type Said = Omit<CatalogRow, "paperTitle" | "paper"> &
  Partial<Pick<CatalogRow, "paperTitle" | "paper">>;

function listed(
  kind: RowKind,
  row: Said,
  more: Partial<Pick<ListedRow, "export" | "trains" | "tensors">> = {},
): ListedRow {
  const { name, title, doc, equation, use, paperTitle = null, paper = null } = row;
  const { axes = {}, evidence, config } = row;
  const found = measured[`${kind} ${name}`];
  const task = taskResults[`${kind} ${name}`];
  const reference = found !== undefined || evidence === "reference" || evidence === "task";
  return {
    ...{ name, title, kind, doc, equation, use, paperTitle, paper, axes },
    ...{ export: [], trains: undefined, tensors: [], ...more },
    quantizedBase: row.noQuantizedBase === undefined ? "yes" : `no: ${row.noQuantizedBase}`,
    evidence: [
      "invariants",
      ...(reference ? (["reference"] as const) : []),
      ...(task === undefined ? [] : (["task"] as const)),
    ],
    ...{ measured: found, task, config },
  };
}

/** The forms of a method at its defaults, the best first. */
export function formsOf(method: Method): readonly string[] {
  if (method.kind === "tensors")
    return [...(method.peft ? [`peft:${method.peft.type}`] : []), "merged"];
  if (isPlaced(method)) {
    const adapter = method.peftType === undefined ? "own" : `peft:${method.peftType}`;
    return method.staysApart === undefined ? [adapter, "merged"] : [adapter];
  }
  const { peft } = method;
  const native = peft ? [`peft:${peft.type}${peft.dora ? " (use_dora)" : ""}`] : [];
  return [...native, ...(isPlainPair(method) ? [loraForm(method)] : []), "merged"];
}

/** Whether a plain LoRA says exactly what the method trained, under its own fields; at its defaults where not given. */
export function isPlainPair(method: Method, config: unknown = defaultsOf(method)): boolean {
  if (method.kind !== "linear" || method.mergesOnly !== undefined || method.peft?.dora)
    return false;
  return method.bind(config).hasPair;
}

function loraForm({ axes }: Method): string {
  return startForm(axes?.E);
}

/** How a pair leaves that begins as a row's axis E says: one that was taken off the weight costs its rank once more. */
export function startForm(says: string | undefined): string {
  return says?.includes("2r") ? "lora-2r" : "lora";
}
