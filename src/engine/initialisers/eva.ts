/**
 * @file EVA: "One Initialization to Rule them All: Fine-tuning via Explained Variance Adaptation", Paischer
 * et al., 2024, https://arxiv.org/abs/2410.07170.
 *
 * The inputs' covariance V diag(λ) Vᵀ; of all modules' shares λ_k / Σλ, each module with at most ρ r of them,
 * the N = Σ r largest are kept: module l gets r_l. Alpha follows, so that the scale stays what it was.
 *   A [r_l, in] trained, the first r_l rows of Vᵀ (÷ √σ_k with `whiten`) · B [out, r_l] trained, zeros.
 * peft (`init_lora_weights="eva"`) finds the directions by incremental PCA until they settle (τ); here they
 * are those of all the samples together, and τ has no meaning. As there, what is equal is measured once.
 * peft's `use_label_mask` leaves out tokens that are no label; here those whose next token is none.
 */
import type { Linalg } from "../../../kernels/linalg/index.ts";
import { UserError, at, invariant } from "../../shared/errors.ts";
import { bool, int, number } from "../../shared/schema.ts";
import type { AllocationSite, Allocated, InputStatistics } from "../methods/start.ts";
import { uprightSign } from "../methods/upright.ts";
import { defineInitialiser } from "./define.ts";

export const eva = defineInitialiser({
  name: "eva",
  title: "EVA",
  equation: "A = the r_l principal components of the layer's inputs, B = 0",
  use: "Choose it where data for measuring is at hand and ranks should follow it.",
  paperTitle: "One Initialization to Rule them All: Fine-tuning via Explained Variance Adaptation",
  paper: "https://arxiv.org/abs/2410.07170",
  doc: "Starts from the principal components of a module's inputs, and gives rank to the modules whose inputs they explain.",
  axes: { I: "principal components of the inputs", R: "explained variance", E: "LoRA" },
  evidence: "reference",
  config: {
    rho: number({
      default: 2,
      min: 1,
      max: 1000,
      doc: "How many times its rank a module may get; at 1 nothing is redistributed.",
    }),
    use_label_mask: bool({
      default: true,
      doc: "Whether only tokens count whose next token is trained on.",
    }),
    whiten: bool({
      default: false,
      doc: "Whether components are divided by the root of their singular value.",
    }),
    samples: int({ default: 256, min: 2, doc: "Training examples that inputs are measured on." }),
  },
  start: ({ rho, use_label_mask: masked, whiten, samples }) => ({
    needs: ["inputs"],
    calibration: { samples, single: false, counts: masked ? "trained" : "all" },
    allocate: (sites) => explainedVariance(sites, rho, whiten),
    run(site, { rank, kept }) {
      invariant(kept instanceof Float32Array, `${site.module} was given no components`);
      const B = new Float32Array(site.out * rank);
      return Promise.resolve({ A: kept, B, subtract: false });
    },
  }),
});

interface Components {
  /** Rows [count, in], the most variance first. */
  readonly rows: Float32Array;
  /** Shares of the whole variance. */
  readonly shares: readonly number[];
}

/** What was found last: sites that read the same come one after the other. */
interface Measured {
  readonly of: InputStatistics;
  readonly most: number;
  readonly made: Components;
}

async function explainedVariance(
  sites: readonly AllocationSite[],
  rho: number,
  whiten: boolean,
): Promise<ReadonlyMap<string, Allocated>> {
  const found: { readonly at: AllocationSite; readonly components: Components }[] = [];
  let last: Measured | undefined;
  for (const own of sites) {
    const inputs = await own.ctx.inputs();
    const most = Math.min(Math.round(own.ctx.rank * rho), own.site.in);
    refuseFew(own, inputs, most);
    if (last?.of !== inputs || last.most !== most)
      last = { of: inputs, most, made: await principal(own.ctx.linalg, inputs, most, whiten) };
    found.push({ at: own, components: last.made });
  }
  const pooled = found
    .flatMap(({ components: { shares } }, site) =>
      shares.map((share, component) => ({ share, component, site })),
    )
    .sort((a, b) => b.share - a.share || a.component - b.component || a.site - b.site);
  const budget = sites.reduce((sum, { ctx }) => sum + ctx.rank, 0);
  const sizes = new Map<number, number>();
  for (const { site } of pooled.slice(0, budget)) sizes.set(site, (sizes.get(site) ?? 0) + 1);
  return new Map(
    found.map(({ at: { site }, components: { rows } }, index) => {
      const size = sizes.get(index) ?? 0;
      return [site.module, { size, kept: rows.slice(0, size * site.in) }];
    }),
  );
}

/** The components of the largest eigenvalues of the inputs' covariance, the largest entry of each positive. */
async function principal(
  linalg: Linalg,
  { rows, secondMoment, sum }: InputStatistics,
  count: number,
  whiten: boolean,
): Promise<Components> {
  const size = sum.length;
  const scatter = secondMoment.map(
    (value, place) => value - (at(sum, Math.floor(place / size)) * at(sum, place % size)) / rows,
  );
  const { values, V } = await linalg.eigh({ rows: size, columns: size, data: scatter });
  const total = values.reduce((whole, value) => whole + Math.max(0, value), 0);
  const made = new Float32Array(count * size);
  const shares: number[] = [];
  for (let k = 0; k < count; k++) {
    const column = size - 1 - k;
    const value = Math.max(0, at(values, column));
    shares.push(total === 0 ? 0 : value / total);
    const vector = Array.from({ length: size }, (_, row) => at(V.data, row * size + column));
    // σ of the centred inputs is √λ of their scatter.
    const factor = uprightSign(vector) / (whiten && value > 0 ? Math.sqrt(Math.sqrt(value)) : 1);
    made.set(
      vector.map((one) => one * factor),
      k * size,
    );
  }
  return { rows: made, shares };
}

function refuseFew({ site }: AllocationSite, { rows }: InputStatistics, needed: number): void {
  if (rows > needed) return;
  throw new UserError({
    code: "too-few-calibration-tokens",
    message: `init: eva looks for ${needed} components at ${site.module} in the inputs of ${rows} tokens; it takes more than ${needed}.`,
    remedy: "Raise its samples, give more training data, or lower r or rho.",
  });
}
