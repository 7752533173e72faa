/** @file Counts over a grid of ε and k, from the interval that is known of each vector's greatest cosine. */
import type {
  CountTable,
  MatrixIntrudersRecord,
  VectorRecord,
} from "../../shared/intruder-records.ts";

/** A number of vectors, or a share of min(out, in), rounded up. */
export type VectorCount = CountTable["ks"][number];

/** How many of the first k vectors are certainly, and how many possibly, intruders at ε, over all matrices: rows are ε, columns k. */
export function countGrid(
  records: readonly MatrixIntrudersRecord[],
  epsilons: readonly number[],
  ks: readonly VectorCount[],
): Pick<CountTable, "certain" | "possible" | "vectors"> {
  const columns = ks.map((k) =>
    records.flatMap((record) => record.vectors.slice(0, countOf(record, k))),
  );
  const counted = (is: (vector: VectorRecord, epsilon: number) => boolean) =>
    epsilons.map((epsilon) =>
      columns.map((vectors) => vectors.filter((vector) => is(vector, epsilon)).length),
    );
  return {
    certain: counted(({ upper }, epsilon) => upper < epsilon),
    possible: counted(({ lower }, epsilon) => lower < epsilon),
    vectors: columns.map(({ length }) => length),
  };
}

const epsilons: readonly number[] = Array.from({ length: 19 }, (_, i) => (i + 1) / 20);
const numbers = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000] as const;
const shares = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1] as const;

/** The grid that analysis files carry: ε from 0.05 to 0.95; every k and share that what was looked at holds, and all of it. */
export function countTable(records: readonly MatrixIntrudersRecord[]): CountTable {
  const least = records.reduce((low, { k }) => Math.min(low, k), Infinity);
  const most = records.reduce((top, { k }) => Math.max(top, k), 0);
  const ks: readonly VectorCount[] = [
    ...numbers.filter((k) => k < least),
    ...(records.length === 0 ? [] : [most]),
    ...shares
      .filter((share) => records.every((record) => countOf(record, { share }) <= record.k))
      .map((share) => ({ share })),
  ];
  return { epsilons, ks, ...countGrid(records, epsilons, ks) };
}

function countOf({ out, in: width }: MatrixIntrudersRecord, k: VectorCount): number {
  return typeof k === "number" ? k : Math.ceil(k.share * Math.min(out, width));
}

/** What has to be said of verdicts that are no proof; empty where each is one. */
export function likelyText(records: readonly MatrixIntrudersRecord[]): string {
  const vectors = records.flatMap((record) => record.vectors);
  const likely = vectors.filter(({ by }) => by === "likely").length;
  return likely === 0
    ? ""
    : `${likely} of the ${vectors.length} verdicts are likely and not proved: singular values too near to each other, or matrices too large, for a count of those above a number; the gap behind a verdict is known from a random start alone.`;
}

/** Intruders of all matrices. */
export function totalOf(records: readonly MatrixIntrudersRecord[]): number {
  return records.reduce((sum, { count }) => sum + count, 0);
}
