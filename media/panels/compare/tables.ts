/** @file Tables of the compare panel: figures with their intervals, differences to the first, and fields that differ. */
import type {
  Comparison,
  ComparedDifference,
  ComparedMetric,
} from "../../../src/shared/comparison.ts";
import { bytes, duration, grouped, short } from "../../charts/numbers.ts";
import type { Cell, Table } from "../../charts/table.ts";
import { csvOf, tableHead } from "../../charts/table.ts";
import { button, element } from "../../shared/dom.ts";
import type { Say } from "../../shared/say.ts";

type Save = (file: { readonly name: string; readonly content: string }) => void;

/** A row for each group; the figures of the first are what the others are set against. */
export function metricsTable(
  { groups, confidence }: Comparison,
  say: Say,
  save: Save,
): HTMLElement {
  const names = [...new Set(groups.flatMap(({ metrics }) => Object.keys(metrics)))];
  const rows = groups.map(
    ({ label, runs, metrics, differences, trainableParameters, peakMemoryBytes, seconds }) =>
      element(
        "tr",
        {},
        element("th", { text: label, attributes: { scope: "row" } }),
        element("td", { class: "number", text: String(runs.length) }),
        ...names.map((name) => metricCell(metrics[name], differences[name], say)),
        element("td", {
          class: "number",
          text: trainableParameters === undefined ? "–" : grouped(trainableParameters),
        }),
        element("td", { class: "number", text: bytes(peakMemoryBytes) }),
        element("td", { class: "number", text: duration(seconds) }),
      ),
  );
  const columns = [say("Group"), say("Runs"), ...names, say("Trained"), say("Memory"), say("Time")];
  const table: Table = {
    columns: [
      "group",
      "runs",
      ...names.flatMap((name) => [
        name,
        `${name} low`,
        `${name} high`,
        `${name} difference`,
        `${name} p`,
      ]),
      "trainable_parameters",
      "peak_memory_bytes",
      "seconds",
    ],
    rows: groups.map((group) => [
      group.label,
      group.runs.length,
      ...names.flatMap((name): readonly Cell[] => {
        const [metric, difference] = [group.metrics[name], group.differences[name]];
        return [
          metric?.mean,
          metric?.interval?.low,
          metric?.interval?.high,
          difference?.mean,
          difference?.pValue,
        ];
      }),
      group.trainableParameters,
      group.peakMemoryBytes,
      group.seconds,
    ]),
  };
  return tableFigure(
    say("Figures"),
    columns,
    rows,
    say(
      "Intervals: {0} %. Differences are to the first group, over the seeds that both have.",
      short(100 * confidence),
    ),
    () => save({ name: "comparison.csv", content: csvOf(table) }),
  );
}

function metricCell(
  metric: ComparedMetric | undefined,
  difference: ComparedDifference | undefined,
  say: Say,
): HTMLElement {
  if (metric === undefined) return element("td", { class: "number", text: "–" });
  const { mean, interval, runs } = metric;
  const over =
    interval?.over === "seeds" ? say("over {0} runs", runs) : say("over the examples of one run");
  return element(
    "td",
    { class: "number" },
    element("div", { text: short(mean) }),
    interval === undefined
      ? element("div", { class: "muted", text: say("n = {0}", runs) })
      : element("div", {
          class: "muted",
          title: over,
          text: `${short(interval.low)} … ${short(interval.high)}`,
        }),
    difference === undefined
      ? undefined
      : element("div", {
          class: "difference",
          title: difference.pValue === undefined ? over : `p = ${short(difference.pValue)}`,
          text: `Δ ${short(difference.mean)}${difference.interval === undefined ? "" : ` [${short(difference.interval.low)}, ${short(difference.interval.high)}]`}`,
        }),
  );
}

/** The fields in which the groups differ. */
export function configTable(
  { groups, config }: Comparison,
  say: Say,
  save: Save,
): HTMLElement | undefined {
  if (config.length === 0) return undefined;
  const text = (value: unknown): string =>
    value === undefined ? "" : typeof value === "string" ? value : JSON.stringify(value);
  const rows = config.map(({ field, values }) =>
    element(
      "tr",
      {},
      element("th", { text: field, attributes: { scope: "row" } }),
      ...values.map((value) => element("td", { class: "number", text: text(value) })),
    ),
  );
  const columns = [say("Field"), ...groups.map(({ label }) => label)];
  const table = { columns, rows: config.map(({ field, values }) => [field, ...values.map(text)]) };
  return tableFigure(say("What differs"), columns, rows, undefined, () =>
    save({ name: "differences.csv", content: csvOf(table) }),
  );
}

function tableFigure(
  title: string,
  columns: readonly string[],
  rows: readonly Element[],
  caption: string | undefined,
  saveCsv: () => void,
): HTMLElement {
  return element(
    "figure",
    {},
    element(
      "div",
      { class: "head" },
      element("h3", { text: title }),
      element("div", { class: "tools" }, button("CSV", saveCsv)),
    ),
    element(
      "div",
      { class: "table", attributes: { tabindex: 0, role: "region", "aria-label": title } },
      element(
        "table",
        {},
        tableHead(columns.map((text) => ({ text }))),
        element("tbody", {}, ...rows),
      ),
    ),
    caption === undefined ? undefined : element("figcaption", { text: caption }),
  );
}
