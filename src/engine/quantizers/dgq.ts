/**
 * @file DGQ: 4-bit groups whose scales are small integers under an 8-bit scale of their row, so that groups expand to 8-bit integers.
 *
 * "Dual Grained Quantization: Efficient Fine-Grained Quantization for LLM", Zhang, Zhang, Liu, Yang, Lin, Lin, Zhao, Han,
 * 2023, https://arxiv.org/abs/2310.04836. First each group takes the one of 20 shares of its span with the least error of its part of
 * the outputs; then each row one of 80 scales, of which the groups' are whole multiples. Channels above the 99.5th
 * percentile of the largest inputs are brought down to it and the norm before folded. Where the model runs each
 * token's inputs are rounded to 8 bits as well: simulated, and no speed is claimed.
 */
import type { Linalg } from "../../../kernels/linalg/index.ts";
import { checkFinite } from "../../../kernels/linalg/matrix.ts";
import { bool, int } from "../../shared/schema.ts";
import { packedBytes } from "./blocks/bit-packing.ts";
import { groupErrors, groupMoments } from "./blocks/group-errors.ts";
import { decodeGrid, encodeGrid, fitGrid, groupsOf, roundEven } from "./blocks/uniform-grid.ts";
import { sampleOf } from "./chain-parts.ts";
import type { InputSample, SiteMatrix } from "./context.ts";
import { defineQuantizer } from "./define.ts";
import { granularityOf, packedRows, unpackedRows } from "./formats/grid.ts";
import { floatsOf, halfScale, storedHalf } from "./half.ts";
import { inputBits, integerInputs } from "./input-fields.ts";
import type { PackedFormat, PackedMatrix } from "./packed.ts";
import { arrayOf, bytesOf, numberOf, stored } from "./packed.ts";

/** W = row scale · group scale · (code − zero); `codes` and `zeros` of 4 bits by rows, `group_scales` uint8 [rows, groups], `scales` float16 [rows]. */
const dualGrid: PackedFormat = {
  name: "dual_grid",
  expand(packed, into) {
    const { rows, columns } = packed;
    const whole = dualIntegers(packed);
    const scales = floatsOf(arrayOf(packed, "scales"));
    if (scales.length !== rows) throw new RangeError(`${scales.length} scales of ${rows} rows.`);
    for (const [i, value] of whole.entries())
      into[i] = (scales[Math.floor(i / columns)] ?? NaN) * value;
  },
};

export const dgq = defineQuantizer({
  name: "dgq",
  title: "DGQ",
  doc: "Holds 4-bit groups under small whole scales and one 8-bit scale for each row, found by the error of the outputs; inputs are rounded in simulation.",
  equation: "ŵ = S k (q − z): q of 4 bits, z and the whole number k of each group, S of each row",
  use: "Choose it to see what 4-bit groups cost that expand to 8-bit integers, for machines that multiply those.",
  paperTitle: "Dual Grained Quantization: Efficient Fine-Grained Quantization for LLM",
  paper: "https://arxiv.org/abs/2310.04836",
  axes: { B: "4-bit groups within 8-bit rows" },
  config: {
    group: int({
      default: 128,
      min: -1,
      doc: "Neighbouring inputs of an output that share a scale; −1 for all of them.",
      aliases: ["group_size"],
    }),
    smooth: bool({ default: true, doc: "Bring the largest input channels down first." }),
    input_bits: inputBits,
  },
  needs: ({ smooth }) => (smooth ? ["inputs", "columns"] : ["inputs"]),
  inputs: ({ input_bits: bits }) => integerInputs(bits, true),
  formats: [dualGrid],
  storedBytes: ({ group }, { rows, columns }) => {
    const { perRow } = groupsOf({ rows, columns }, granularityOf(group));
    return rows * (packedBytes(columns, 4) + packedBytes(perRow, 4) + perRow + 2);
  },
  refuses: ({ group }) => (group === 0 ? "groups lie within rows: −1 or a size" : undefined),
  async layer({ group, smooth }, layer) {
    if (smooth)
      for (const chain of layer.chains) {
        if (chain.producer.kind !== "norm") continue;
        const { absmax } = await layer.of(chain.consumers[0] ?? "").columns();
        layer.scale(chain, percentileFactors(absmax));
      }
    return async (matrix, ctx) => pack(ctx.linalg, matrix, await ctx.inputs(), group);
  },
});

/** What brings channels above the 99.5th percentile of the largest inputs down to it; 1 for the others. */
export function percentileFactors(absmax: Float32Array): Float32Array<ArrayBuffer> {
  const sorted = absmax.slice().sort().reverse();
  const limit = sorted[Math.min(Math.trunc(0.005 * absmax.length + 1.5), absmax.length - 1)] ?? 0;
  return Float32Array.from(absmax, (top) => (limit > 0 ? Math.max(1, top / limit) : 1));
}

/** Group scale · (code − zero), whole numbers within ± 127 [rows · columns]. */
export function dualIntegers(packed: PackedMatrix): Int32Array {
  const { rows, columns } = packed;
  const { group, perRow } = groupsOf(packed, granularityOf(numberOf(packed, "group")));
  const codes = unpackedRows(bytesOf(packed, "codes"), rows, columns, 4);
  const zeros = unpackedRows(bytesOf(packed, "zeros"), rows, perRow, 4);
  const scales = bytesOf(packed, "group_scales");
  if (scales.length !== rows * perRow)
    throw new RangeError(`${scales.length} scales where ${rows * perRow} belong.`);
  return Int32Array.from(codes, (code, i) => {
    const at = Math.floor(i / columns) * perRow + Math.floor((i % columns) / group);
    return (scales[at] ?? NaN) * (code - (zeros[at] ?? NaN));
  });
}

async function pack(
  linalg: Linalg,
  matrix: SiteMatrix,
  inputs: InputSample,
  groupField: number,
): Promise<PackedMatrix> {
  const { rows, columns, data } = matrix;
  checkFinite("DGQ", matrix);
  const granularity = granularityOf(groupField);
  const shape = groupsOf(matrix, granularity);
  const moments = await groupMoments(linalg, sampleOf(inputs, columns), shape.group);
  const judge = (values: Float32Array) => errorsOf(linalg, matrix, values, moments, shape.group);
  const fine = await fineScales(matrix, groupField, judge);
  const tops = Array.from({ length: rows }, (_, row) =>
    data
      .subarray(row * columns, (row + 1) * columns)
      .reduce((top, w) => Math.max(top, Math.abs(w)), 0),
  );
  let best: DualCodes | undefined;
  const least = new Float64Array(rows).fill(Infinity);
  for (let i = 0; i < 80; i++) {
    const ratio = 1.02 - ((i + 1) / 80) * 0.82;
    const scales = Float32Array.from(tops, (top) => halfScale((ratio * top) / 127));
    const made = dualCodes(matrix, shape, fine, scales);
    const errors = await judge(made.values);
    best ??= made;
    for (let row = 0; row < rows; row++) {
      let error = 0;
      for (const group of errors) error += group[row] ?? NaN;
      if (!(error < (least[row] ?? NaN))) continue;
      least[row] = error;
      takeRow(best, made, row, rows);
    }
  }
  if (!best) throw new RangeError("There are no scales to be tried.");
  return {
    format: dualGrid.name,
    rows,
    columns,
    settings: { group: groupField },
    tensors: new Map([
      ["codes", packedRows(best.codes, rows, columns, 4)],
      ["zeros", packedRows(best.zeros, rows, shape.perRow, 4)],
      ["group_scales", stored("uint8", [rows, shape.perRow], best.groupScales)],
      ["scales", storedHalf([rows], best.scales)],
    ]),
  };
}

type Judge = (values: Float32Array) => Promise<readonly Float64Array[]>;

/** By group, by row. */
async function errorsOf(
  linalg: Linalg,
  { rows, columns, data }: SiteMatrix,
  values: Float32Array,
  moments: Awaited<ReturnType<typeof groupMoments>>,
  group: number,
): Promise<readonly Float64Array[]> {
  const lost = { rows, columns, data: values.map((value, i) => value - (data[i] ?? NaN)) };
  const errors: Float64Array[] = [];
  for (const [g, moment] of moments.entries())
    errors.push(await groupErrors(linalg, lost, moment, g * group));
  return errors;
}

/** The span of each group, as the lowest weight and the step, with the least error of 20 shares of it. */
async function fineScales(matrix: SiteMatrix, group: number, judge: Judge) {
  const { rows } = matrix;
  const whole = fitGrid(matrix, { bits: 4, symmetric: false, granularity: granularityOf(group) });
  const scales = whole.scales.slice();
  const least = new Float64Array(scales.length).fill(Infinity);
  for (let i = 0; i < 20; i++) {
    const ratio = 1.02 - ((i + 1) / 20) * 0.22;
    const tried = { ...whole, scales: whole.scales.map((scale) => scale * ratio) };
    const errors = await judge(decodeGrid(encodeGrid(matrix, tried), tried));
    for (const [g, byRow] of errors.entries())
      for (let row = 0; row < rows; row++) {
        const at = row * errors.length + g;
        if (!((byRow[row] ?? NaN) < (least[at] ?? NaN))) continue;
        least[at] = byRow[row] ?? NaN;
        scales[at] = tried.scales[at] ?? NaN;
      }
  }
  return { scales, zeros: whole.zeros };
}

interface DualCodes {
  readonly codes: Uint8Array<ArrayBuffer>;
  readonly zeros: Uint8Array<ArrayBuffer>;
  readonly groupScales: Uint8Array<ArrayBuffer>;
  readonly scales: Float32Array<ArrayBuffer>;
  readonly values: Float32Array;
}

function dualCodes(
  { rows, columns, data }: SiteMatrix,
  { group, perRow }: { readonly group: number; readonly perRow: number },
  fine: { readonly scales: Float32Array; readonly zeros: Uint8Array },
  scales: Float32Array<ArrayBuffer>,
): DualCodes {
  const codes = new Uint8Array(rows * columns);
  const groupScales = new Uint8Array(rows * perRow);
  const values = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++)
    for (let g = 0; g < perRow; g++) {
      const at = row * perRow + g;
      const outer = scales[row] ?? NaN;
      const whole = Math.min(Math.max(1, roundEven((fine.scales[at] ?? NaN) / outer)), 127);
      const zero = fine.zeros[at] ?? NaN;
      groupScales[at] = whole;
      const reach = Math.floor(127 / whole);
      const [low, high] = [Math.max(-zero, -reach), Math.min(15 - zero, reach)];
      const to = Math.min((g + 1) * group, columns);
      for (let j = g * group; j < to; j++) {
        const i = row * columns + j;
        const level = roundEven((data[i] ?? NaN) / (outer * whole));
        const held = Math.min(Math.max(level, low), high);
        codes[i] = held + zero;
        values[i] = outer * whole * held;
      }
    }
  return { codes, zeros: fine.zeros.slice(), groupScales, scales: scales.slice(), values };
}

function takeRow(into: DualCodes, from: DualCodes, row: number, rows: number): void {
  for (const part of ["codes", "zeros", "groupScales", "scales"] as const) {
    const width = into[part].length / rows;
    into[part].set(from[part].subarray(row * width, (row + 1) * width), row * width);
  }
}
