/** @file A checkpoint of a run of ours beside its base: pairs as factors, other methods by their own definition of the weight. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Data, Matrix } from "../../../kernels/linalg/index.ts";
import { UserError } from "../../shared/errors.ts";
import type { Experiment } from "../../shared/experiment/fields/experiment-fields.ts";
import type { Update } from "../analyze/source.ts";
import type { Graph, Value } from "../core/graph.ts";
import { newGraph } from "../core/graph.ts";
import { siteOutput } from "../exports/site-values.ts";
import type { Pair } from "../methods/pair.ts";
import { foldedB } from "../methods/pair.ts";
import type { FullMatch } from "../methods/targets.ts";
import type { LinearSpec } from "../models/architecture.ts";
import { methods } from "../catalog.ts";
import type { Factor, Factors } from "../network/factors.ts";
import { createFactors, subtractedNames } from "../network/factors.ts";
import type { BlockSetup, SiteMethod } from "../programs/setup.ts";
import { kindOf, localName, parameterName } from "../programs/setup.ts";
import { createOrtBackend } from "../runtime/ort.ts";
import type { Backend } from "../runtime/backend.ts";
import { randomNumbers } from "../session/draw.ts";
import { drawFactors } from "../session/load-weights.ts";
import { openModel } from "../session/open-model.ts";
import { setUpModel } from "../session/set-up.ts";
import { storedSizes } from "../session/start-run.ts";
import { weightsFile } from "../train/run-state.ts";
import type { ModelPlaces } from "../weights/hub-cache.ts";
import { throwErrors } from "../weights/read-errors.ts";
import { openWeights } from "../weights/weight-source.ts";
import { tunedMatrix } from "./merged-matrix.ts";
import { plainName } from "./names.ts";
import type { StoredMatrix } from "./stored-matrix.ts";
import { dtypeOf, isFloatMatrix, readMatrix, rowsOf, valuesOf } from "./stored-matrix.ts";
import { requireEqualShapes } from "./matrix-set.ts";
import type { SideRecord } from "../../shared/analysis-documents.ts";
import type { HashedUpdate, TunedSide } from "./tuned-side.ts";

interface Site {
  readonly setup: BlockSetup;
  readonly linear: LinearSpec;
  readonly site: SiteMethod;
}

/** Opens `checkpoints/step-N` of a run. Factors that are not stored are drawn again from the run's seed. */
export async function runCheckpoint(
  folder: string,
  { model: { id, revision }, task, method, quantization, train: { seed } }: Experiment,
  places: ModelPlaces,
  fullMatch: FullMatch,
  record: Partial<SideRecord>,
): Promise<TunedSide> {
  const opened = await openModel({ id, ...(revision === null ? {} : { revision }) }, task, places);
  await opened.source.close();
  const setUp = (sizes?: ReadonlyMap<string, number>) =>
    setUpModel(opened.model, { method, quantization }, opened.source.tensors, fullMatch, sizes);
  const asked = setUp();
  throwErrors(asked.findings);
  // What was allotted by data differs from what the experiment says of each site.
  const { value, findings } = setUp(await storedSizes(folder, asked.value));
  throwErrors(findings);
  const source = await openWeights(weightsFile(folder));
  const stored = join(folder, "factors.safetensors");
  const frozen = existsSync(stored) ? await openWeights(stored) : undefined;
  const sites = new Map<string, Site>();
  for (const setup of value.setups.values())
    for (const linear of setup.spec.linears) {
      const site = setup.sites.get(linear.name);
      if (site) sites.set(plainName(`${linear.module}.weight`), { setup, linear, site });
    }
  const own = new Map<string, StoredMatrix>();
  for (const info of source.tensors.values())
    if (!info.name.includes("#") && isFloatMatrix(info))
      own.set(plainName(info.name), { source, info, transposed: false });
  let backend: Backend | undefined;
  let seeded: Factors | undefined;
  const drawn = (): Factors => {
    if (seeded) return seeded;
    seeded = createFactors(value.factors);
    drawFactors(value, seeded, randomNumbers(seed).start);
    return seeded;
  };

  const read = async (name: string): Promise<Factor | undefined> => {
    const from = source.tensors.has(name) ? source : frozen;
    const info = from?.tensors.get(name);
    if (!from || !info) return undefined;
    const bytes = await from.read(name);
    const data =
      info.dtype === "int32"
        ? new Int32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4)
        : new Float32Array(valuesOf(info, bytes));
    return { name, shape: info.shape, data, stored: true };
  };

  return {
    record: { kind: "checkpoint", path: folder, ...record },
    has: (plain) => sites.has(plain) || own.has(plain),
    whole: undefined,
    dtype: (plain, base) => (own.has(plain) ? "float32" : dtypeOf(base)),
    check(plain, base) {
      const stored = own.get(plain);
      if (stored && !sites.has(plain)) requireEqualShapes(stored, base);
    },
    async update(plain, base, W): Promise<HashedUpdate> {
      const at = sites.get(plain);
      const stored = own.get(plain);
      if (!at) {
        if (!stored) throw missing(folder, plain);
        const part = base.part === undefined ? {} : { part: base.part };
        // A run's checkpoint holds weights in its own orientation, [out, in].
        const tuned = await readMatrix({ ...stored, ...part });
        return { update: { kind: "tuned", W: tuned.W }, hash: tuned.hash };
      }
      const names = [...at.site.params.keys()].map((param) => ({
        param,
        full: parameterName(at.setup.spec, localName(at.linear.name, at.site, param)),
      }));
      const values = new Map<string, Factor>();
      const hash = createHash("sha256").update(JSON.stringify({ method, plain }));
      for (const { full } of names) {
        const factor = (await read(full)) ?? drawn().all.get(full);
        if (!factor) throw missing(folder, full);
        values.set(full, factor);
        hash.update(
          new Uint8Array(factor.data.buffer, factor.data.byteOffset, factor.data.byteLength),
        );
      }
      const valueOf = (name: string): Factor => {
        const factor = values.get(name);
        if (!factor) throw missing(folder, name);
        return factor;
      };
      const taken = await takenOff(read, at.linear.module);
      const parameters = {
        get: (name: string) => {
          const { shape, data } = valueOf(name);
          const weight = new Float32Array(data);
          return { name, shape, decays: false, weight, gradient: new Float32Array(0) };
        },
      };
      backend ??= await createOrtBackend({ device: "cpu", threads: 1 });
      const where = { setup: at.setup, name: at.linear.name, site: at.site };
      const sources = { parameters, factors: { get: valueOf } };
      // A pair may be a part of the method alone: DoRA's says nothing of its magnitudes.
      const update = saysAll(at.site)
        ? await pairUpdate(backend, sources, where, at, taken, base)
        : await wholeUpdate(backend, sources, where, at, taken, base, W);
      return { update, hash: hash.digest("hex") };
    },
    findings: source.findings,
    async close() {
      await frozen?.close();
      await source.close();
    },
  };
}

/** Whether the pair of a site's method is all that it does to the weight. */
function saysAll({ method }: SiteMethod): boolean {
  const row = methods.find(({ name }) => name === method.name);
  return method.pair !== undefined && row?.kind === "linear" && row.hasPair;
}

/** The pair that initialisation took off the base: B holds its scale. */
async function takenOff(
  read: (name: string) => Promise<Factor | undefined>,
  module: string,
): Promise<
  readonly { readonly B: Matrix<Data>; readonly A: Matrix<Data>; readonly scale: number }[]
> {
  const [A, B] = [await read(subtractedNames.A(module)), await read(subtractedNames.B(module))];
  if (!A || !B) return [];
  return [{ A: matrixOf(A), B: matrixOf(B), scale: -1 }];
}

function matrixOf({ shape: [rows = 0, columns = 0], data }: Factor): Matrix<Data> {
  return { rows, columns, data: new Float32Array(data) };
}

type Sources = Parameters<typeof siteOutput>[1];
type Where = Parameters<typeof siteOutput>[2];
type Taken = Awaited<ReturnType<typeof takenOff>>;

async function pairUpdate(
  backend: Backend,
  sources: Sources,
  where: Where,
  { linear, site }: Site,
  taken: Taken,
  { part }: StoredMatrix,
): Promise<Update> {
  const g = newGraph();
  const inputs = [...site.params].map(
    ([param, { shape, dtype }]) => [param, g.input(param, dtype ?? "float32", shape)] as const,
  );
  const pair = site.method.pair?.(g, new Map(inputs), linear);
  const rank = pair?.A.shape[0] ?? 0;
  const scale = pair?.scale ?? 1;
  const made = (build: Parameters<typeof siteOutput>[4]) =>
    siteOutput(backend, sources, where, new Map(), build);
  const A = await made((h, params) => pairOf(site, linear)(h, params).A);
  const B = await made((h, params) => foldedB(h, pairOf(site, linear)(h, params)));
  const own = {
    A: { rows: rank, columns: linear.in, data: A },
    B: cutRows({ rows: linear.out, columns: rank, data: B }, part),
    scale,
  };
  return {
    kind: "factors",
    factors: [own, ...taken.map((one) => ({ ...one, B: cutRows(one.B, part) }))],
  };
}

function cutRows(B: Matrix<Data>, part: StoredMatrix["part"]): Matrix<Data> {
  return part ? rowsOf(B, part.rows) : B;
}

/** W' by the method's own definition, on the base as it was held with what was taken off it. */
async function wholeUpdate(
  backend: Backend,
  sources: Sources,
  where: Where,
  { linear, site }: Site,
  taken: Taken,
  { part }: StoredMatrix,
  W: Matrix<Data>,
): Promise<Update> {
  if (part)
    throw new UserError({
      code: "fused-part",
      message: `The update of ${linear.module} is known for the whole matrix alone.`,
      remedy: "Leave --split-qkv out.",
    });
  const held = tunedMatrix(W, { kind: "factors", factors: taken });
  const given = new Map([
    ["W", { shape: [linear.out, linear.in], data: new Float32Array(held.data) }],
  ]);
  const merged = await siteOutput(backend, sources, where, given, (g, params, values) => {
    const [base] = values.values();
    if (!base) throw missing(linear.module, "W");
    return site.method.weight(g, base, params, kindOf(linear));
  });
  const delta = Float64Array.from(merged, (value, i) => value - (W.data[i] ?? NaN));
  return { kind: "dense", delta: { rows: linear.out, columns: linear.in, data: delta } };
}

function missing(folder: string, name: string): UserError {
  return new UserError({
    code: "missing-tensors",
    message: `${folder} does not hold ${name}.`,
    place: { file: join(folder, "parameters.safetensors"), field: name },
    remedy: "Take the run's adapter or merged model, or another checkpoint.",
  });
}

function pairOf({ method }: SiteMethod, linear: LinearSpec) {
  return (g: Graph, params: ReadonlyMap<string, Value>): Pair => {
    const pair = method.pair?.(g, params, linear);
    if (!pair) throw missing(linear.module, "pair");
    return pair;
  };
}
