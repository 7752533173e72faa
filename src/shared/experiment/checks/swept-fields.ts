/** @file Which fields differ between the points of a sweep. */
import type { Sweep } from "../fields/experiment-fields.ts";

export interface SweptField {
  readonly field: string;
  /** Where the sweep says it. */
  readonly path: readonly string[];
}

/** Fields of the grid and the paired lists: the axes, without controls. */
export function axesOf(sweep: Sweep): readonly SweptField[] {
  const grid = Object.keys(sweep.grid).map((field) => ({ field, path: ["sweep", "grid", field] }));
  const paired = sweep.paired.flatMap((map, index) =>
    Object.keys(map).map((field) => ({ field, path: ["sweep", "paired", String(index), field] })),
  );
  return [...grid, ...paired];
}

/** The axes, and what controls change. */
export function sweptFields(sweep: Sweep): readonly SweptField[] {
  const controls = sweep.controls.flatMap((map, index) =>
    Object.keys(map).map((field) => ({ field, path: ["sweep", "controls", String(index), field] })),
  );
  return [...axesOf(sweep), ...controls];
}

/** How many points there are, of which each is a run for every seed. */
export function pointCount({ grid, paired, controls }: Sweep): number {
  const lengths = [
    ...Object.values(grid).map(({ length }) => length),
    ...paired.map((map) => Math.max(0, ...Object.values(map).map(({ length }) => length))),
  ];
  return lengths.reduce((product, length) => product * length, 1) + controls.length;
}
