/** @file A figure of every matrix by layer and module. */
import { heatMap } from "./heat-map.ts";
import type { Block } from "./page.ts";

/** Mean over what shares a cell, such as the parts of a fused projection. */
export function layerMap<
  R extends { readonly layer?: number | undefined; readonly module: string },
>(caption: string, records: readonly R[], value: (record: R) => number): Block {
  const layers = [...new Set(records.map(({ layer }) => layer))].toSorted(
    (a, b) => (a ?? -1) - (b ?? -1),
  );
  const modules = [...new Set(records.map(({ module }) => module))];
  const values = layers.map((layer) =>
    modules.map((module) => {
      const own = records.filter((record) => record.layer === layer && record.module === module);
      return own.length === 0
        ? undefined
        : own.reduce((sum, record) => sum + value(record), 0) / own.length;
    }),
  );
  const rows = layers.map((layer) => (layer === undefined ? "other" : `layer ${layer}`));
  return {
    kind: "chart",
    caption,
    svg: heatMap({ rows, columns: modules, values }),
    table: {
      head: ["layer", ...modules],
      rows: rows.map((name, i) => [name, ...(values[i] ?? []).map((cell) => cell ?? "")]),
    },
  };
}
