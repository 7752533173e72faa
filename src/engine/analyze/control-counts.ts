/** @file What an intruder count says little without: the counts of controls, by the same ε, k and reference. */
import type { ControlKind, ControlRecord } from "../../shared/intruder-records.ts";
import { randomUpdate, rotatedUpdate, scaledToNorm } from "./controls.ts";
import type { IntruderOptions } from "./finding.ts";
import type { IntruderContext } from "./intruders.ts";
import { intruders } from "./intruders.ts";
import type { LowRankSvd } from "./low-rank.ts";
import { svdOfFactors } from "./low-rank.ts";
import type { Tools } from "./products.ts";
import { formUpdate, frobenius, inFloat64 } from "./products.ts";
import type { LoadedPair, MatrixPair, Update } from "./source.ts";
import { factorsOf } from "./spectra.ts";

/** `draws` random controls of either kind; full fine-tuning and quantization where the pair has them. */
export async function controlCounts(
  ctx: IntruderContext,
  pair: MatrixPair,
  options: IntruderOptions,
  draws: number,
): Promise<readonly ControlRecord[]> {
  const { tools, cache, now } = ctx;
  const loaded = await pair.load();
  const { update } = loaded;
  const base = inFloat64(loaded.base);
  const counted = async (own: Partial<MatrixPair>, other: LoadedPair) => {
    const one = { ...pair, ...own, load: () => Promise.resolve(other) };
    // Nothing of a control is told exactly but its count.
    const quick = { ...options, exact: false };
    const { count, undecided } = await intruders({ tools, cache, now }, one, quick);
    return { count, undecided };
  };
  const controls: ControlRecord[] = [];
  if (update !== undefined) {
    const svd = await svdOfUpdate(tools, loaded, update);
    const drawn = async (kind: ControlKind, make: typeof randomUpdate): Promise<void> => {
      const made: ControlRecord["draws"][number][] = [];
      for (let draw = 0; draw < draws; draw++) {
        const factors = await make(tools.linalg, svd, options.seed + 1 + 2 * draw);
        const control: Update = { kind: "factors", factors: [factors] };
        made.push(await counted({}, { base, update: control }));
      }
      controls.push({ kind, draws: made });
    };
    if (svd.sigma.length > 0 && draws > 0) {
      await drawn("random", randomUpdate);
      await drawn("rotated", rotatedUpdate);
    }
    const full = await pair.references?.full?.();
    if (full?.update) {
      const size = Math.hypot(...svd.sigma);
      const delta = scaledToNorm(await formUpdate(tools, inFloat64(full.base), full.update), size);
      const control: Update = { kind: "dense", delta };
      controls.push({ kind: "full", draws: [await counted({}, { base, update: control })] });
    }
  }
  const held = pair.references?.quantization;
  if (held)
    controls.push({
      kind: "quantization",
      draws: [await counted({ baseHash: held.baseHash }, held.loaded)],
    });
  return controls;
}

/** Of ΔW as factors; of a dense one what its rounding does not reach. */
async function svdOfUpdate(
  tools: Tools,
  { base }: LoadedPair,
  update: Update,
): Promise<LowRankSvd> {
  const factors = factorsOf(update);
  if (factors) return svdOfFactors(tools.linalg, factors);
  const delta = await formUpdate(tools, inFloat64(base), update);
  return frobenius(delta) === 0
    ? { U: delta, sigma: new Float64Array(), Vt: delta }
    : tools.linalg.svd(delta);
}
