/** @file What a report shows of two adapters beside each other. */
import type { DiffDocument } from "../../shared/analysis-documents.ts";
import type { OverlapRecord } from "../../shared/spectra-records.ts";
import type { CaptionFacts } from "./caption.ts";
import { captionTail } from "./caption.ts";
import { heatMap } from "./heat-map.ts";
import type { Block } from "./page.ts";

const mostMaps = 8;

export function overlapBlocks(
  { adapters, matrices, onlyFirst, onlySecond }: DiffDocument,
  facts: CaptionFacts,
): readonly Block[] {
  const tail = captionTail(facts);
  const drawn = matrices.toSorted((a, b) => whole(b) - whole(a)).slice(0, mostMaps);
  const alone = [
    [adapters[0], onlyFirst],
    [adapters[1], onlySecond],
  ] as const;
  return [
    { kind: "heading", text: "Overlap of two adapters" },
    { kind: "paragraph", text: `First ${adapters[0]}; second ${adapters[1]}.` },
    ...alone.flatMap(([adapter, names]): readonly Block[] =>
      names.length === 0
        ? []
        : [{ kind: "paragraph", text: `Only in ${adapter}: ${names.join(", ")}.` }],
    ),
    {
      kind: "table",
      caption: `Each matrix that both adapt: ‖U_iᵀU_j‖²_F / min(i, j) of the whole updates, the largest principal angle in degrees, norms, ranks and the cosine between the updates. ${tail}`,
      table: {
        head: [
          ...["matrix", "left overlap", "right overlap", "left angle", "right angle"],
          ...["‖ΔW₁‖", "‖ΔW₂‖", "rank 1", "rank 2", "cosine"],
        ],
        rows: matrices.map((one) => [
          one.name,
          last(one.left).toFixed(3),
          last(one.right).toFixed(3),
          degrees(one.leftAngles.at(-1)),
          degrees(one.rightAngles.at(-1)),
          ...one.norms.map((norm) => norm.toPrecision(4)),
          ...one.ranks,
          one.cosine.toFixed(3),
        ]),
      },
    },
    ...drawn.map((record): Block => {
      const rows = record.left.map((_, i) => `first ${i + 1}`);
      const columns = (record.left[0] ?? []).map((_, j) => `${j + 1}`);
      return {
        kind: "chart",
        caption: `Overlap of the first i left vectors of one with the first j of the other, ${record.name}; 1 where one space lies in the other. ${tail}`,
        svg: heatMap({ rows, columns, values: record.left, most: 1 }),
        table: {
          head: ["i", ...columns.map((j) => `j = ${j}`)],
          rows: record.left.map((line, i) => [i + 1, ...line.map((value) => value.toFixed(4))]),
        },
      };
    }),
  ];
}

function whole({ left }: OverlapRecord): number {
  return last(left);
}

/** The overlap of all leading vectors of both sides. */
export function last(grid: readonly (readonly number[])[]): number {
  return grid.at(-1)?.at(-1) ?? 0;
}

function degrees(angle: number | undefined): string {
  return angle === undefined ? "" : ((180 / Math.PI) * angle).toFixed(1);
}
