/** @file An initialiser of pairs as the start of a method whose tensors have roles in one. */
import type { PairStart } from "../initialisers/define.ts";
import type { BoundMethod, Roles } from "./define.ts";
import type { Start } from "./start.ts";

export function pairStart(pair: PairStart, roles: Roles<string>): Start {
  return {
    needs: pair.needs,
    ...(pair.calibration ? { calibration: pair.calibration } : {}),
    ...(pair.allocate ? { allocate: pair.allocate, sized: roles.A } : {}),
    async run(site, ctx) {
      const { A, B, core, subtract } = await pair.run(site, ctx);
      const tensors = new Map([
        [roles.A, A],
        [roles.B, B],
      ]);
      if (roles.core !== undefined) tensors.set(roles.core, core ?? identity(ctx.rank));
      return { tensors, ...(subtract ? { subtract: { A, B, scale: ctx.scale } } : {}) };
    },
  };
}

/** What starts a method from data where the file names no initialiser. */
export function ownStarts({ startPair, start, roles }: BoundMethod): readonly Start[] {
  const pair = startPair && roles ? [pairStart(startPair, roles)] : [];
  return [...pair, ...(start ? [start] : [])];
}

function identity(size: number): Float32Array {
  return Float32Array.from({ length: size * size }, (_, place) =>
    place % (size + 1) === 0 ? 1 : 0,
  );
}
