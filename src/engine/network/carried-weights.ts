/**
 * @file Base weights that carry a method's columns while a run trains: written after each step and put back at the end, or
 * written over what was decoded of 16 bits.
 */
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
  readonly source: string;
  /** As it is held, where that is float32. */
  readonly W: Float32Array | undefined;
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
      const { source = "" } =
        spec.tensors.find(({ name }) => name === `${linear.name}.weight`) ?? {};
      const W = base.decode(source);
      const { data: places } = factors.get(nameOf(columns.places));
      invariant(places instanceof Int32Array, `${linear.module} has no columns`);
      const change = parameters.get(nameOf(columns.change)).weight;
      const before = new Float32Array(change.length);
      const layout = { width: linear.in, places };
      eachPlace(W, layout, (from, index) => (before[index] = at(W, from)));
      const held = base.get(source).type === "float32" ? W : undefined;
      all.push({ ...layout, source, W: held, change, scale: columns.scale, before });
    }
  if (all.length === 0) return undefined;
  return {
    write() {
      for (const carried of all) {
        const { source, W, before, change, scale } = carried;
        const over = (into: Float32Array): void => {
          eachPlace(into, carried, (to, index) => {
            into[to] = at(before, index) + scale * at(change, index);
          });
        };
        if (W) over(W);
        else base.overlay(source, over);
      }
    },
    restore() {
      for (const carried of all) {
        const { source, W, before } = carried;
        if (!W) base.overlay(source, undefined);
        else eachPlace(W, carried, (to, index) => (W[to] = at(before, index)));
      }
    },
  };
}

/** Calls with each place in W and in [out, count]. */
function eachPlace(
  W: Float32Array,
  { width, places }: Pick<Carried, "width" | "places">,
  call: (inW: number, index: number) => void,
): void {
  let index = 0;
  for (let row = 0; row < W.length; row += width)
    for (const column of places) {
      call(row + column, index);
      index++;
    }
}
