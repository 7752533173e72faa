/** @file Base weights that carry a method's columns while a run trains: written after each step, and put back at the end. */
import { at, invariant } from "../../shared/errors.ts";
import type { BlockSetup } from "../programs/setup.ts";
import { localName, parameterName } from "../programs/setup.ts";
import type { BaseWeights } from "./base-weights.ts";
import type { Factors } from "./factors.ts";
import type { Parameters } from "./parameters.ts";

export interface CarriedWeights {
  /** Brings the held weights up to date with the trained columns. */
  write(): void;
  /** Puts back what they were. */
  restore(): void;
}

interface Carried {
  readonly W: Float32Array;
  readonly width: number;
  readonly places: Int32Array;
  readonly change: Float32Array;
  readonly scale: number;
  /** W[:, places] before [out, count]. */
  readonly before: Float32Array;
}

/** Undefined where no weight carries anything. */
export function carryWeights(
  setups: Iterable<BlockSetup>,
  base: BaseWeights,
  parameters: Parameters,
  factors: Factors,
): CarriedWeights | undefined {
  const all: Carried[] = [];
  for (const { spec, sites } of setups)
    for (const linear of spec.linears) {
      const site = sites.get(linear.name);
      const { columns } = site?.method ?? {};
      if (site?.carried !== true || !columns) continue;
      const nameOf = (param: string): string =>
        parameterName(spec, localName(linear.name, site, param));
      const source = spec.tensors.find(({ name }) => name === `${linear.name}.weight`)?.source;
      const held = base.get(source ?? "");
      const { data: places } = factors.get(nameOf(columns.places));
      invariant(
        held.type === "float32" && places instanceof Int32Array,
        `${linear.module} cannot carry its columns`,
      );
      const change = parameters.get(nameOf(columns.change)).weight;
      const carried = { W: held.data, width: linear.in, places, change, scale: columns.scale };
      const before = new Float32Array(change.length);
      eachPlace(carried, (from, index) => (before[index] = at(held.data, from)));
      all.push({ ...carried, before });
    }
  if (all.length === 0) return undefined;
  return {
    write() {
      for (const carried of all) {
        const { W, before, change, scale } = carried;
        eachPlace(carried, (to, index) => {
          W[to] = at(before, index) + scale * at(change, index);
        });
      }
    },
    restore() {
      for (const carried of all)
        eachPlace(carried, (to, index) => {
          carried.W[to] = at(carried.before, index);
        });
    },
  };
}

/** Calls with each place in W and in [out, count]. */
function eachPlace(
  { W, width, places }: Pick<Carried, "W" | "width" | "places">,
  call: (inW: number, index: number) => void,
): void {
  let index = 0;
  for (let row = 0; row < W.length; row += width)
    for (const column of places) {
      call(row + column, index);
      index++;
    }
}
