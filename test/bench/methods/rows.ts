/** @file What the benchmark of methods trains: every row of the catalog that decides how a model is tuned. */
import {
  activeLayers,
  initialisers,
  methods,
  optimizers,
  sharings,
} from "../../../src/engine/catalog.ts";

export interface BenchRow {
  readonly name: string;
  readonly kind: "method" | "initialiser" | "optimizer" | "sharing" | "active_layers";
  readonly method: Fragment;
  readonly train?: Fragment;
  /** The field that decides the size, with the values that it may take. */
  readonly knob?: Knob;
}

type Fragment = Readonly<Record<string, unknown>>;

export interface Knob {
  readonly field: string;
  readonly values: readonly number[];
}

export const reference = "lora";
const lora = { type: "lora", r: 8, alpha: 16 } as const;

const integers = (from: number, to: number): readonly number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);

/**
 * What a row needs other than its defaults: matrices here are 160 and 432 wide and runs short, where defaults are made
 * for models of thousands. Rows that are not here are tried at their defaults.
 */
const overrides: Readonly<Record<string, Fragment>> = {
  lora,
  smt: { block: 16 },
  randlora: { alpha: 40 },
  // Their scale as at LoRA's rank.
  mixlora: { alpha: "2r" },
  // Near squares have no form as large as LoRA's pair; and s = 1 at the rank that does.
  lokr: { factor: 2, alpha: 16 },
  lora_sb: { type: "lora_xs" },
  // All that the sample's tokenizer knows.
  trainable_tokens: { token_indices: integers(0, 431) },
  galore: { rank: 32, update_proj_gap: 20 },
  natural_galore: { rank: 32, update_proj_gap: 20 },
  fira: { rank: 32, update_proj_gap: 20 },
  lisa: { interval: 5 },
  hift: { group: 1 },
};

const shares = integers(1, 60).map((step) => step / 200);

/**
 * Those with a size knob; a rank whose method is LoRA's own stays at LoRA's 8. Methods that allocate while they train end
 * with LoRA's ranks on average.
 */
const knobs: Readonly<Record<string, Knob>> = {
  lora_xs: { field: "r", values: integers(4, 80) },
  lora_sb: { field: "r", values: integers(4, 80) },
  svft: { field: "off_diagonals", values: integers(0, 79) },
  loldu: { field: "r", values: integers(4, 160) },
  miss: { field: "r", values: integers(1, 80) },
  lokr: { field: "r", values: integers(1, 39) },
  paca: { field: "r", values: integers(1, 80) },
  lamda: { field: "r", values: integers(4, 120) },
  smt: { field: "share", values: shares },
  fish: { field: "share", values: shares },
  hira: { field: "r", values: integers(1, 32) },
  oft: { field: "block_size", values: integers(8, 80) },
  mixlora: { field: "r", values: integers(1, 8) },
  vblora: { field: "num_vectors", values: integers(2, 32).map((count) => 16 * count) },
  nola: { field: "basis", values: integers(2, 30).map((count) => 64 * count) },
  // Fewer of its ranks are more coefficients.
  randlora: { field: "r", values: integers(4, 32).toReversed() },
  bottleneck: { field: "r", values: integers(1, 128) },
};

export const benchRows: readonly BenchRow[] = [
  ...methods.map(({ name }) => row(name, "method", { type: name, ...overrides[name] })),
  ...initialisers.map(({ name }) =>
    row(name, "initialiser", { ...lora, ...overrides[name], init: name }),
  ),
  ...sharings.map(({ name }) => row(name, "sharing", { ...lora, sharing: name })),
  ...optimizers
    .filter(({ name }) => name !== "adamw")
    .map(({ name }) =>
      row(name, "optimizer", name.startsWith("lora") ? lora : { type: "full" }, {
        optimizer: { type: name, ...overrides[name] },
      }),
    ),
  ...activeLayers.map(({ name }) =>
    row(
      name,
      "active_layers",
      { type: "full" },
      { active_layers: { type: name, ...overrides[name] } },
    ),
  ),
];

function row(name: string, kind: BenchRow["kind"], method: Fragment, train?: Fragment): BenchRow {
  const knob = knobs[name];
  return { name, kind, method, ...(train && { train }), ...(knob && { knob }) };
}
