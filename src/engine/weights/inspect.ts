/** @file What weights consist of, counted from their headers alone. */
import { elementCount } from "../../shared/dtypes.ts";
import type { TensorInfo } from "./safetensors.ts";

/** Tensors that share a property. */
export interface WeightTotals {
  readonly tensors: number;
  readonly elements: number;
  /** In the files: of packed matrices what is stored of them. */
  readonly bytes: number;
}

export interface WeightSummary extends WeightTotals {
  /** By the type as the files name it, the largest share first. */
  readonly byType: ReadonlyMap<string, WeightTotals>;
  /** By the file's path, in the order of the tensors. */
  readonly byFile: ReadonlyMap<string, WeightTotals>;
}

/** Totals of the tensors of a weight source. */
export function summarizeWeights(tensors: Iterable<TensorInfo>): WeightSummary {
  const all = [...tensors];
  const byType = totalsBy(all, ({ storedAs }) => storedAs);
  return {
    ...total(all),
    byType: new Map([...byType].toSorted(([, a], [, b]) => b.bytes - a.bytes)),
    byFile: totalsBy(all, ({ file }) => file),
  };
}

function totalsBy(
  tensors: readonly TensorInfo[],
  key: (tensor: TensorInfo) => string,
): ReadonlyMap<string, WeightTotals> {
  const groups = Map.groupBy(tensors, key);
  return new Map([...groups].map(([name, group]) => [name, total(group)]));
}

function total(tensors: readonly TensorInfo[]): WeightTotals {
  return {
    tensors: tensors.length,
    elements: tensors.reduce((sum, { shape }) => sum + elementCount(shape), 0),
    bytes: tensors.reduce((sum, { bytes, packed }) => sum + (packed?.bytes ?? bytes), 0),
  };
}
