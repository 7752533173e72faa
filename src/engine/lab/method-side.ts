/** @file What methods of the catalog changed, from their trained tensors: pairs as factors, other methods by their own definition of the weight. */
import { createHash } from "node:crypto";
import type { Data, Matrix } from "../../../kernels/linalg/index.ts";
import type { SideRecord } from "../../shared/analysis-documents.ts";
import { UserError } from "../../shared/errors.ts";
import type { Experiment } from "../../shared/experiment/fields/experiment-fields.ts";
import type { Finding } from "../../shared/findings.ts";
import type { Factors, Update } from "../analyze/source.ts";
import { methods, rowNamed } from "../catalog.ts";
import type { Graph, Value } from "../core/graph.ts";
import { newGraph } from "../core/graph.ts";
import type { SiteSources, TensorsOfBlock } from "../exports/site-values.ts";
import { paramInputs, siteOutput } from "../exports/site-values.ts";
import type { Pair } from "../methods/pair.ts";
import { foldedB } from "../methods/pair.ts";
import { isPlaced } from "../methods/placed.ts";
import type { BoundRows } from "../methods/rows.ts";
import type { LinearSpec, TensorSpec } from "../models/architecture.ts";
import type { Factor } from "../network/factors.ts";
import { subtractedNames } from "../network/factors.ts";
import type { BlockSetup, PlaceMethod, SiteMethod } from "../programs/setup.ts";
import { kindOf, localName, parameterName } from "../programs/setup.ts";
import type { Backend } from "../runtime/backend.ts";
import { createOrtBackend } from "../runtime/ort.ts";
import type { ModelSetup } from "../session/set-up.ts";
import { heldUnless, requireEqualShapes } from "./matrix-set.ts";
import { tunedMatrix } from "./merged-matrix.ts";
import { plainName } from "./names.ts";
import type { StoredMatrix } from "./stored-matrix.ts";
import { dtypeOf, readMatrix, rowsOf } from "./stored-matrix.ts";
import type { HashedUpdate, TunedSide } from "./tuned-side.ts";

export interface MethodSideParts {
  readonly record: SideRecord;
  readonly method: Experiment["method"];
  readonly setup: ModelSetup;
  /** A trained tensor or frozen factor by its name; undefined where there is none. */
  readonly read: (name: string) => Promise<Factor | undefined>;
  /** Whole matrices that trained, by plain name, in our orientation. */
  readonly whole: ReadonlyMap<string, StoredMatrix>;
  readonly findings: readonly Finding[];
  readonly close: () => Promise<void>;
}

/** A method at a linear layer, or at rows of a table. */
type Place =
  | {
      readonly kind: "linear";
      readonly setup: BlockSetup;
      readonly linear: LinearSpec;
      readonly site: SiteMethod;
    }
  | {
      readonly kind: "rows";
      readonly setup: BlockSetup;
      readonly table: TensorSpec;
      readonly site: PlaceMethod;
      readonly rows: BoundRows;
    };

/** The side of such tensors. What acts elsewhere than in a matrix is told of, and is the reason where nothing else changes. */
export function methodSide(parts: MethodSideParts): TunedSide {
  const { record, method, setup, read, whole } = parts;
  const places = placesOf(setup);
  const left = leftOut(method, places);
  let backend: Backend | undefined;
  return {
    record,
    has: (plain) => places.has(plain) || whole.has(plain),
    async held(plain, base, W, form) {
      const place = places.get(plain);
      const isStored = place === undefined || !isQuantized(place);
      const { name } = base.info;
      const taken = place?.kind === "linear" ? await takenOff(read, place.linear) : [];
      if (isStored || taken.length === 0) return heldUnless(isStored, name, W, form);
      // What initialisation took off was taken off before: the rest was quantized, and training began with both.
      const own = taken.map((one) => ({ ...one, B: cutRows(one.B, base.part) }));
      const rest = await form.apply(name, tunedMatrix(W, { kind: "factors", factors: own }));
      const back = own.map((one) => ({ ...one, scale: -one.scale }));
      const hash = createHash("sha256");
      for (const { A, B } of own)
        hash.update(Float32Array.from(A.data)).update(Float32Array.from(B.data));
      return {
        W: tunedMatrix(rest, { kind: "factors", factors: back }),
        label: `${form.label} without ${hash.digest("hex")}`,
      };
    },
    whole: undefined,
    reason: left.map(({ message }) => message).join(" ") || undefined,
    dtype: (plain, base) => (whole.has(plain) ? "float32" : dtypeOf(base)),
    check(plain, base) {
      const stored = whole.get(plain);
      if (stored && !places.has(plain)) requireEqualShapes(stored, base);
    },
    async update(plain, base, W): Promise<HashedUpdate> {
      const place = places.get(plain);
      const stored = whole.get(plain);
      if (!place) {
        if (!stored) throw missing(record.path, plain);
        const part = base.part === undefined ? {} : { part: base.part };
        const tuned = await readMatrix({ ...stored, ...part });
        return { update: { kind: "tuned", W: tuned.W }, hash: tuned.hash };
      }
      const { sources, hash } = await tensorsOf(parts, place, plain);
      backend ??= await createOrtBackend({ device: "cpu", threads: 1 });
      const update =
        place.kind === "rows"
          ? await rowsUpdate(backend, sources, place)
          : await linearUpdate(
              backend,
              sources,
              place,
              await takenOff(read, place.linear),
              base,
              W,
            );
      return { update, hash };
    },
    findings: [...parts.findings, ...(places.size + whole.size === 0 ? [] : left)],
    close: parts.close,
  };
}

function placesOf({ setups }: ModelSetup): ReadonlyMap<string, Place> {
  const places = new Map<string, Place>();
  for (const setup of setups.values()) {
    for (const linear of setup.spec.linears) {
      const site = setup.sites.get(linear.name);
      if (site)
        places.set(plainName(`${linear.module}.weight`), { kind: "linear", setup, linear, site });
    }
    const site = setup.places?.get("rows");
    const table = setup.spec.tensors.find(
      ({ role, rows = "ids" }) => role === "embedding" && rows === "ids",
    );
    if (table && site?.method.kind === "rows")
      places.set(plainName(table.source), { kind: "rows", setup, table, site, rows: site.method });
  }
  return places;
}

/** Methods that no matrix, or none of the layers', tells of. */
function leftOut(
  method: Experiment["method"],
  places: ReadonlyMap<string, Place>,
): readonly Finding[] {
  const why = (type: string): string | undefined => {
    const row = rowNamed(methods, type);
    if (row.kind === "rows") {
      const table = [...places].find(([, place]) => place.kind === "rows")?.[0];
      return `it trains rows of the table ${table ?? "of words"}, which --matrices chooses by its name`;
    }
    if (isPlaced(row)) return row.staysApart ?? "it acts in no matrix";
    return row.kind === "tensors" && row.noQuantizedBase === undefined
      ? "what it trains are vectors, which have no spectrum"
      : undefined;
  };
  return [...new Set(method.map(({ type }) => type))].flatMap((type): readonly Finding[] => {
    const reason = why(type);
    const message = `Of ${type} there is no update of a layer's matrix to look at: ${reason ?? ""}.`;
    return reason === undefined ? [] : [{ code: "no-matrix-update", severity: "info", message }];
  });
}

/** The tensors of one place, with a hash of them and of the method. */
async function tensorsOf(
  { record, method, read }: MethodSideParts,
  place: Place,
  plain: string,
): Promise<{ readonly sources: SiteSources; readonly hash: string }> {
  const values = new Map<string, Factor>();
  const hash = createHash("sha256").update(JSON.stringify({ method, plain }));
  for (const param of place.site.params.keys()) {
    const name = parameterName(place.setup.spec, localName(nameOf(place), place.site, param));
    const factor = await read(name);
    if (!factor) throw missing(record.path, name);
    values.set(name, factor);
    const { buffer, byteOffset, byteLength } = factor.data;
    hash.update(new Uint8Array(buffer, byteOffset, byteLength));
  }
  const get = (name: string): Factor => {
    const factor = values.get(name);
    if (!factor) throw missing(record.path, name);
    return factor;
  };
  const parameters = {
    get: (name: string) => {
      const { shape, data } = get(name);
      const weight = new Float32Array(data);
      return { name, shape, decays: false, weight, gradient: new Float32Array(0) };
    },
  };
  return { sources: { parameters, factors: { get } }, hash: hash.digest("hex") };
}

/** Whether the run held the weight in fewer bits than a float. */
function isQuantized({ setup, ...place }: Place): boolean {
  if (place.kind === "rows") return false;
  const storage = setup.storage.get(`${place.linear.name}.weight`);
  return storage?.type === "nf4" || storage?.type === "packed";
}

function nameOf(place: Place): string {
  return place.kind === "linear" ? place.linear.name : "rows";
}

type LinearPlace = Extract<Place, { readonly kind: "linear" }>;

function linearUpdate(
  backend: Backend,
  sources: SiteSources,
  place: LinearPlace,
  taken: Taken,
  base: StoredMatrix,
  W: Matrix<Data>,
): Promise<Update> {
  // A pair may be a part of the method alone: DoRA's says nothing of its magnitudes.
  return place.site.method.hasPair
    ? pairUpdate(backend, sources, place, taken, base)
    : wholeUpdate(backend, sources, place, taken, base, W);
}

type Taken = readonly Factors[];

/** The pair that initialisation took off the base: B holds its scale. */
async function takenOff(read: MethodSideParts["read"], { module }: LinearSpec): Promise<Taken> {
  const [A, B] = [await read(subtractedNames.A(module)), await read(subtractedNames.B(module))];
  if (!A || !B) return [];
  return [{ A: matrixOf(A), B: matrixOf(B), scale: -1 }];
}

function matrixOf({ shape: [rows = 0, columns = 0], data }: Factor): Matrix<Data> {
  return { rows, columns, data: new Float32Array(data) };
}

function tensorsAt({ setup, linear, site }: LinearPlace): TensorsOfBlock {
  return { setup, name: linear.name, site };
}

async function pairUpdate(
  backend: Backend,
  sources: SiteSources,
  place: LinearPlace,
  taken: Taken,
  { part }: StoredMatrix,
): Promise<Update> {
  const { linear, site } = place;
  const g = newGraph();
  const pair = site.method.pair?.(g, paramInputs(g, site), linear);
  const rank = pair?.A.shape[0] ?? 0;
  const scale = pair?.scale ?? 1;
  const made = (build: Parameters<typeof siteOutput>[4]) =>
    siteOutput(backend, sources, tensorsAt(place), new Map(), build);
  const A = await made((h, params) => pairOf(place)(h, params).A);
  const B = await made((h, params) => foldedB(h, pairOf(place)(h, params)));
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
  sources: SiteSources,
  place: LinearPlace,
  taken: Taken,
  { part }: StoredMatrix,
  W: Matrix<Data>,
): Promise<Update> {
  const { linear, site } = place;
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
  const merged = await siteOutput(backend, sources, tensorsAt(place), given, (g, params, all) => {
    const [base] = all.values();
    if (!base) throw missing(linear.module, "W");
    return site.method.weight(g, base, params, kindOf(linear));
  });
  const delta = Float64Array.from(merged, (value, i) => value - (W.data[i] ?? NaN));
  return { kind: "dense", delta: { rows: linear.out, columns: linear.in, data: delta } };
}

/** Rows of a table: a one in each column of B [words, rows], and what is added as A [rows, width]. */
async function rowsUpdate(
  backend: Backend,
  sources: SiteSources,
  { setup, table, site, rows: { indices, change } }: Extract<Place, { readonly kind: "rows" }>,
): Promise<Update> {
  const [words = 0, width = 0] = table.shape;
  const at = { setup, name: "rows", site };
  const added = await siteOutput(backend, sources, at, new Map(), (g, params) =>
    change(g, params, { width }),
  );
  const count = indices.length;
  const ones = new Float32Array(words * count);
  for (const [column, row] of indices.entries()) ones[row * count + column] = 1;
  const A = { rows: count, columns: width, data: added };
  return {
    kind: "factors",
    factors: [{ A, B: { rows: words, columns: count, data: ones }, scale: 1 }],
  };
}

function missing(folder: string, name: string): UserError {
  return new UserError({
    code: "missing-tensors",
    message: `${folder} does not hold ${name}.`,
    place: { file: folder, field: name },
    remedy: "Take the run's adapter or merged model, or another checkpoint.",
  });
}

function pairOf({ linear, site: { method } }: LinearPlace) {
  return (g: Graph, params: ReadonlyMap<string, Value>): Pair => {
    const pair = method.pair?.(g, params, linear);
    if (!pair) throw missing(linear.module, "pair");
    return pair;
  };
}
