/** @file How tuned vectors lie among the base's: a map of similarity, and the profiles of two vectors. */
import { at } from "../../shared/errors.ts";
import type { MatrixIntrudersRecord } from "../../shared/intruder-records.ts";
import type { CaptionFacts } from "./caption.ts";
import { captionTail } from "./caption.ts";
import { heatMap } from "./heat-map.ts";
import { lineChart } from "./line-chart.ts";
import type { Block } from "./page.ts";

/** |Uᵀ_tuned U_base| of one matrix, a row for each vector. */
export interface Cosines {
  readonly rows: number;
  readonly columns: number;
  readonly values: ArrayLike<number>;
}

/** The matrix to show: the one with the most intruders whose cosines are kept. */
export function shownMatrix(
  records: readonly MatrixIntrudersRecord[],
): MatrixIntrudersRecord | undefined {
  return records
    .filter(({ cosines }) => cosines !== undefined)
    .toSorted((a, b) => b.count - a.count)[0];
}

const mostRows = 32;
/** Profiles of wide matrices are drawn by the largest value of so many neighbours. */
const mostColumns = 256;

export function profileBlocks(
  record: MatrixIntrudersRecord,
  { rows, columns, values }: Cosines,
  facts: CaptionFacts,
): readonly Block[] {
  const step = Math.ceil(columns / mostColumns);
  const places = Array.from({ length: Math.ceil(columns / step) }, (_, i) => i * step);
  const profile = (row: number): readonly number[] =>
    places.map((from) => {
      let most = 0;
      for (let i = from; i < Math.min(columns, from + step); i++)
        most = Math.max(most, values[row * columns + i] ?? 0);
      return most;
    });
  const shown = Array.from({ length: Math.min(rows, mostRows) }, (_, row) => row);
  const profiles = shown.map(profile);
  const marked = new Set(shown.filter((row) => record.vectors[row]?.intruder === true));
  const said = `${record.name} [${record.out}, ${record.in}], ε = ${record.epsilon}, k = ${record.k}; ${captionTail(facts)}`;
  const note = step === 1 ? "" : ` Each column is the largest of ${step} neighbours.`;
  const byCosine = shown.toSorted(
    (a, b) => (record.vectors[a]?.upper ?? 1) - (record.vectors[b]?.upper ?? 1),
  );
  const [flat, spike] = [byCosine[0] ?? 0, byCosine.at(-1) ?? 0];
  const names = places.map((place) => String(place + 1));
  return [
    {
      kind: "chart",
      caption: `Similarity |u_tuned · u_base| of ${said} A row for each tuned vector, a column for each of the base's; intruders are set off.${note}`,
      svg: heatMap({
        rows: shown.map((row) => `vector ${row + 1}`),
        columns: names,
        values: profiles,
        most: 1,
        marked,
      }),
      table: {
        head: ["vector", ...names],
        rows: shown.map((row) => [row + 1, ...at(profiles, row).map((one) => one.toFixed(4))]),
      },
    },
    {
      kind: "chart",
      caption: `Profiles of the vector least like the base and of the one most like it: flat or a spike. ${said}${note}`,
      svg: lineChart({
        x: "vector of the base",
        y: "|cos|",
        series: [...new Set([flat, spike])].map((row) => ({
          name: `vector ${row + 1}${marked.has(row) ? " (intruder)" : ""}`,
          points: at(profiles, row).map((value, i) => [at(places, i) + 1, value]),
        })),
      }),
      table: {
        head: ["vector of the base", `vector ${flat + 1}`, `vector ${spike + 1}`],
        rows: names.map((name, i) => [
          name,
          at(at(profiles, flat), i).toFixed(4),
          at(at(profiles, spike), i).toFixed(4),
        ]),
      },
    },
  ];
}
