/** @file Starts methods' tensors from data before the first step, and takes off the base what they begin with. */
import type { Linalg } from "../../../kernels/linalg/index.ts";
import { UserError, invariant } from "../../shared/errors.ts";
import type {
  Allocated,
  CalibrationChoice,
  Start,
  StartContext,
  StartRandom,
  StartResult,
  StartRun,
  StartSite,
  Subtracted,
} from "../methods/start.ts";
import { allTensors } from "../models/all-tensors.ts";
import type { LinearSpec, TensorSpec } from "../models/architecture.ts";
import type { BaseWeights } from "../network/base-weights.ts";
import { newGraph } from "../core/graph.ts";
import type { Factors } from "../network/factors.ts";
import { subtractedNames } from "../network/factors.ts";
import type { Parameters } from "../network/parameters.ts";
import type { BlockSetup, SiteMethod } from "../programs/setup.ts";
import { localName, parameterName } from "../programs/setup.ts";
import { lazyLinalg } from "../runtime/linalg.ts";
import type { Calibrated } from "./calibrate.ts";
import type { ModelSetup } from "./set-up.ts";

/** Base weights that can be read again from their file and held anew. */
export interface Rewritable {
  readonly base: BaseWeights;
  /** W [out, in] in float32 as the file has it. */
  readonly original: (tensor: TensorSpec) => Promise<Float32Array>;
  /** Holds other values in the form that the tensor is held in. */
  readonly rewrite: (setup: BlockSetup, tensor: TensorSpec, values: Float32Array) => void;
}

export interface StartParts extends Rewritable {
  readonly setup: ModelSetup;
  readonly parameters: Parameters;
  readonly factors: Factors;
  /** Random numbers of a stream. */
  readonly random: (module: string, name: string) => StartRandom;
  readonly run: StartRun;
  readonly calibrated: Omit<Calibrated, "dispose">;
  /** What an allocation kept, by module. */
  readonly kept: ReadonlyMap<string, Kept>;
  readonly onProgress: (done: number, total: number, module: string) => void;
}

/** What an allocation found at a site. */
export type Kept = Allocated["kept"];

/** A site with something to start. */
export interface StartingSite {
  readonly setup: BlockSetup;
  readonly linear: LinearSpec;
  readonly site: SiteMethod;
  readonly starts: readonly Start[];
}

export function startingSites({ setups }: ModelSetup): readonly StartingSite[] {
  return [...setups.values()].flatMap((setup) =>
    setup.spec.linears.flatMap((linear) => {
      const site = setup.sites.get(linear.name);
      const starts = site?.starts ?? [];
      return site && starts.length > 0 ? [{ setup, linear, site, starts }] : [];
    }),
  );
}

/**
 * One site after the other, so that memory holds the matrices of one. What reads the training data comes first,
 * at every site: the network that it runs on must not lose parts of its weights meanwhile.
 */
export async function startTensors(parts: StartParts): Promise<void> {
  const sites = startingSites(parts.setup);
  if (sites.length === 0) return;
  const linalg = lazyLinalg()();
  const measured = new Map<StartingSite, Map<Start, StartResult>>();
  const runStart = (at: StartingSite, start: Start): Promise<StartResult> =>
    start.run(siteOf(at), startContext(parts, at, start, linalg));
  for (const at of sites) {
    const own = new Map<Start, StartResult>();
    for (const start of at.starts) if (reads(start)) own.set(start, await runStart(at, start));
    if (own.size > 0) measured.set(at, own);
  }
  let done = 0;
  for (const at of sites) {
    parts.onProgress(done++, sites.length, at.linear.module);
    for (const start of at.starts) {
      const found = measured.get(at)?.get(start) ?? (await runStart(at, start));
      const { tensors, subtract } = found;
      for (const [param, values] of tensors) store(parts, at, param, values);
      if (subtract) await takeOff(parts, at, subtract);
    }
    measured.delete(at);
  }
  parts.onProgress(done, sites.length, "");
}

/** Whether a start's run takes passes over the training data. */
function reads({ needs, allocate }: Start): boolean {
  return !allocate && needs.some((need) => need !== "weight");
}

export interface Allocation {
  /** Rank or number of elements by module. */
  readonly sizes: ReadonlyMap<string, number>;
  readonly kept: ReadonlyMap<string, Kept>;
}

/** Lets starts that share a budget divide it over the sites of their entry; undefined where none does. */
export async function allocateSizes(
  parts: Omit<StartParts, "kept">,
): Promise<Allocation | undefined> {
  const linalg = lazyLinalg()();
  const entries = new Map<string, StartingSite[]>();
  for (const at of startingSites(parts.setup))
    if (at.starts.some(({ allocate }) => allocate)) {
      const group = at.site.group ?? "";
      entries.set(group, [...(entries.get(group) ?? []), at]);
    }
  if (entries.size === 0) return undefined;
  const sizes = new Map<string, number>();
  const kept = new Map<string, Kept>();
  for (const sites of entries.values()) {
    const starts = sites.flatMap((at) =>
      at.starts.flatMap((start) => (start.allocate ? [{ at, start }] : [])),
    );
    const found = await starts[0]?.start.allocate?.(
      starts.map(({ at, start }) => ({
        site: siteOf(at),
        ctx: startContext({ ...parts, kept }, at, start, linalg),
      })),
    );
    for (const [module, own] of found ?? []) {
      sizes.set(module, own.size);
      kept.set(module, own.kept);
    }
  }
  return { sizes, kept };
}

function siteOf({ linear }: StartingSite): StartSite {
  return { in: linear.in, out: linear.out, module: linear.module };
}

/** Takes the pairs that a checkpoint brought off the base again. */
export async function takeOffStored(
  parts: Rewritable & Pick<StartParts, "setup" | "factors">,
): Promise<void> {
  for (const setup of parts.setup.setups.values())
    for (const linear of setup.spec.linears)
      if (parts.factors.all.has(subtractedNames.A(linear.module)))
        await rewriteBase(parts, parts.factors, setup, linear);
}

function startContext(
  parts: StartParts,
  at: StartingSite,
  start: Start,
  linalg: Linalg,
): StartContext {
  const { setup, linear, site } = at;
  const choice = (): CalibrationChoice => {
    invariant(start.calibration, "a start that reads data does not say which");
    return start.calibration;
  };
  const tensor = weightOf(setup, linear);
  const { rank, scale } = pairFacts(site, linear);
  return {
    linalg,
    rank,
    scale,
    run: parts.run,
    weight: async (of) =>
      of === "original" ? parts.original(tensor) : parts.base.decode(tensor.source).slice(),
    inputs: () => parts.calibrated.inputs(linear.module, choice()),
    gradient: () => parts.calibrated.gradient(linear.module, choice()),
    fisher: () => parts.calibrated.fisher(linear.module, choice()),
    kept: parts.kept.get(linear.module),
    random: (name) => parts.random(linear.module, name),
    value(param) {
      const { data } = tensorOf(parts, at, param);
      invariant(data instanceof Float32Array, `${param} holds no numbers`);
      return data;
    },
  };
}

/** Rank and scale of the method's pair. */
function pairFacts(
  { method, params }: SiteMethod,
  linear: LinearSpec,
): { readonly rank: number; readonly scale: number } {
  if (!method.pair) return { rank: 0, scale: 1 };
  const g = newGraph();
  const inputs = [...params].map(
    ([param, { shape, dtype }]) => [param, g.input(param, dtype ?? "float32", shape)] as const,
  );
  const { A, scale } = method.pair(g, new Map(inputs), linear);
  return { rank: A.shape[0] ?? 0, scale };
}

function tensorOf(
  { parameters, factors }: Pick<StartParts, "parameters" | "factors">,
  { setup, linear, site }: StartingSite,
  param: string,
): { readonly name: string; readonly data: Float32Array | Int32Array } {
  const name = parameterName(setup.spec, localName(linear.name, site, param));
  const frozen = site.params.get(param)?.trains === false;
  return { name, data: frozen ? factors.get(name).data : parameters.get(name).weight };
}

function store(
  parts: StartParts,
  at: StartingSite,
  param: string,
  values: Float32Array | Int32Array,
): void {
  const { name, data } = tensorOf(parts, at, param);
  invariant(data.length === values.length, `${name} was given ${values.length} values`);
  data.set(values);
}

async function takeOff(
  parts: StartParts,
  { setup, linear }: StartingSite,
  { A, B, scale }: Subtracted,
): Promise<void> {
  refuseShared(setup, linear, parts.setup);
  const rank = A.length / linear.in;
  const scaled = B.map((value) => value * scale);
  parts.factors.add(subtractedNames.A(linear.module), [rank, linear.in], A.slice());
  parts.factors.add(subtractedNames.B(linear.module), [linear.out, rank], scaled);
  await rewriteBase(parts, parts.factors, setup, linear);
}

/** W − B A in place of W, from the file's values. */
async function rewriteBase(
  parts: Rewritable,
  factors: Factors,
  setup: BlockSetup,
  linear: LinearSpec,
): Promise<void> {
  const tensor = weightOf(setup, linear);
  const W = Float32Array.from(await parts.original(tensor));
  const A = factors.get(subtractedNames.A(linear.module)).data;
  const B = factors.get(subtractedNames.B(linear.module)).data;
  const rank = A.length / linear.in;
  const sums = new Float64Array(linear.in);
  for (let row = 0; row < linear.out; row++) {
    sums.fill(0);
    for (let k = 0; k < rank; k++) {
      const factor = B[row * rank + k] ?? 0;
      const from = k * linear.in;
      for (let column = 0; column < sums.length; column++)
        sums[column] = (sums[column] ?? 0) + factor * (A[from + column] ?? 0);
    }
    const start = row * linear.in;
    for (let column = 0; column < sums.length; column++)
      W[start + column] = (W[start + column] ?? 0) - (sums[column] ?? 0);
  }
  parts.rewrite(setup, tensor, W);
}

/** The tensor that a linear site multiplies by. */
export function weightOf({ spec }: BlockSetup, { name }: LinearSpec): TensorSpec {
  const tensor = spec.tensors.find((own) => own.name === `${name}.weight`);
  invariant(tensor, `${name} has no weight`);
  return tensor;
}

/** A head that is tied to the embedding cannot give up a part of itself: the embedding would lose it too. */
function refuseShared(setup: BlockSetup, linear: LinearSpec, { model }: ModelSetup): void {
  const { source } = weightOf(setup, linear);
  const users = allTensors(model).filter((own) => own.source === source);
  if (users.length < 2) return;
  throw new UserError({
    code: "start-changes-shared-weight",
    message: `The start takes a part off ${source}, which ${linear.module} shares with another layer.`,
    remedy: `Leave ${linear.module} out with exclude_modules, or give it modules_to_save.`,
  });
}
