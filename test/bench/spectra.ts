/** @file The spectral lab against LAPACK in one run: verdicts, all singular values, spectra of updates, a whole model's shapes. */
import { execFileSync } from "node:child_process";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { normalMatrix } from "../../kernels/krylov/normal.ts";
import { createLinalg, type Linalg, type Matrix } from "../../kernels/linalg/index.ts";
import { intruderDefaults } from "../../src/engine/analyze/finding.ts";
import { fullBaseSvd } from "../../src/engine/analyze/exact-cosines.ts";
import { intruders } from "../../src/engine/analyze/intruders.ts";
import { valuesOfFactors } from "../../src/engine/analyze/low-rank.ts";
import type { Tools } from "../../src/engine/analyze/products.ts";
import type { Factors, KeptSvd, MatrixPair, SvdCache } from "../../src/engine/analyze/source.ts";
import { matrixSpectra, spectraDefaults } from "../../src/engine/analyze/spectra.ts";
import { backendGemm } from "../../src/engine/runtime/gemm.ts";
import { kernelBytes } from "../../src/engine/runtime/kernels.ts";
import { createOrtBackend } from "../../src/engine/runtime/ort.ts";
import { isRecord } from "../../src/shared/wire.ts";

/** The seven matrices of a layer of the SmolLM-135M shape, and its layers. */
const layer = [
  [576, 576],
  [192, 576],
  [192, 576],
  [576, 576],
  [1536, 576],
  [1536, 576],
  [576, 1536],
] as const;
const layers = 30;

export async function spectra(): Promise<Record<string, unknown>> {
  const threads = availableParallelism();
  const backend = await createOrtBackend({ device: "cpu", threads });
  const { gemm, timesTransposed } = backendGemm(backend);
  const linalg = createLinalg(kernelBytes("linalg"), { maxBytes: 2 ** 32 - 65536, gemm });
  const tools: Tools = { linalg, gemm, timesTransposed };
  const result: Record<string, unknown> = {
    threads,
    "LAPACK's":
      "float32 thin SVDs and float64 values by NumPy; values are the least of three, the thin SVD is timed once and doubled",
    cpu: "seconds of all threads: what they take does not hang on what else the machine does, where seconds do",
  };
  const tell = (bar: string, found: unknown): void => {
    result[bar] = found;
    process.stderr.write(`${bar}: ${JSON.stringify(found)}\n`);
  };
  // One call on another matrix first: programs are compiled and the engine is warm.
  await intruders(context(tools), await decaying(tools, 256, 256), intruderDefaults);
  tell("spectrum of ΔW, 4096², r 16, under 20 ms", await updateValues(linalg));
  for (const n of [1024, 2048]) {
    const A = normalMatrix(n, n, 3);
    await linalg.singularValues(normalMatrix(n, n, 4));
    const { seconds, cpu } = await quickest(async () => {
      const [cost] = await timed(() => linalg.singularValues(A));
      return cost;
    });
    const theirs = await quickest(() => Promise.resolve(measured(n, n, threads, "values64")));
    tell(`all values ${n}², at most 1.5 × LAPACK's`, {
      ...{ seconds, cpu, lapack: theirs },
      ...{ ratio: theirs && seconds / theirs.seconds, cpuRatio: theirs && cpu / theirs.cpu },
    });
  }
  tell("all values 4096² within 4 GB", valuesAlone(4096));
  const shapes = "SmolLM-135M's shapes, all 210 matrices: spectra under 60 s, verdicts under 30 s";
  tell(shapes, await wholeModel(tools));
  tell("verdicts 1024 × 4096: cold 6 ×, cached 20 ×", await verdicts(tools, 1024, 4096));
  tell("verdicts 4096²: cold 20 ×, cached 20 ×", await verdicts(tools, 4096, 4096));
  return result;
}

/** Cold; with the top vectors that a look keeps anyway; with the whole SVD of the base. */
async function verdicts(tools: Tools, out: number, columns: number) {
  const pair = await decaying(tools, out, columns);
  const kept = memoryCache();
  const [cold, record] = await timed(() =>
    intruders({ ...context(tools), cache: kept }, pair, intruderDefaults),
  );
  const [withTop] = await timed(() =>
    intruders({ ...context(tools), cache: kept }, pair, intruderDefaults),
  );
  const { base } = await pair.load();
  const wide = { ...base, data: Float64Array.from(base.data) };
  const [thin, svd] = await timed(() => fullBaseSvd(tools.linalg, wide));
  await kept.write(pair.baseHash, "full", svd);
  const [withFull, exact] = await timed(() =>
    intruders({ ...context(tools), cache: kept }, pair, intruderDefaults),
  );
  const lapack = measured(out, columns, availableParallelism(), "thin");
  // Where there is no LAPACK: twice the own exact path, in float64.
  const one = lapack ?? thin;
  const ratio = (of: Cost) => ({
    ratio: (2 * one.seconds) / of.seconds,
    cpuRatio: (2 * one.cpu) / of.cpu,
  });
  return {
    against: lapack === undefined ? "two thin SVDs of this package" : "two thin SVDs of LAPACK",
    ...{ thinSvd: one, ownThinSvd: thin },
    cold: { ...cold, ...ratio(cold) },
    topCached: { ...withTop, ...ratio(withTop) },
    fullCached: { ...withFull, ...ratio(withFull) },
    ...{ count: record.count, countOfTheExactCosines: exact.count, undecided: record.undecided },
    proofs: record.vectors.map(({ proof }) => proof.kind).join(" "),
  };
}

async function updateValues(linalg: Linalg) {
  const factors: Factors[] = [
    { B: normalMatrix(4096, 16, 1), A: normalMatrix(16, 4096, 2), scale: 1 },
  ];
  await valuesOfFactors(linalg, factors);
  const [{ seconds }] = await timed(() => valuesOfFactors(linalg, factors));
  return { milliseconds: 1000 * seconds };
}

/** Every matrix once, one after the other; making them is not counted. */
async function wholeModel(tools: Tools) {
  let figures = nothing;
  let verdictsOf = nothing;
  for (let index = 0; index < layers; index++)
    for (const [place, [out, columns]] of layer.entries()) {
      const pair = await decaying(tools, out, columns, layer.length * index + place);
      figures = plus(figures, (await timed(() => matrixSpectra(tools, pair, spectraDefaults)))[0]);
      verdictsOf = plus(
        verdictsOf,
        (await timed(() => intruders(context(tools), pair, intruderDefaults)))[0],
      );
    }
  return { spectra: figures, verdicts: verdictsOf };
}

/** In a process of its own, whose memory is then its own too. */
function valuesAlone(n: number): unknown {
  const script = join(import.meta.dirname, "support/values-alone.ts");
  return JSON.parse(execFileSync(process.execPath, [script, String(n)], { encoding: "utf8" }));
}

function context(tools: Tools) {
  return { tools, now: () => performance.now() };
}

/** What a piece of work took: by the clock, and of all threads of the process together. */
interface Cost {
  readonly seconds: number;
  readonly cpu: number;
}

const nothing: Cost = { seconds: 0, cpu: 0 };

function plus(a: Cost, b: Cost): Cost {
  return { seconds: a.seconds + b.seconds, cpu: a.cpu + b.cpu };
}

async function timed<T>(work: () => Promise<T>): Promise<readonly [Cost, T]> {
  const start = performance.now();
  const before = process.cpuUsage();
  const value = await work();
  const { user, system } = process.cpuUsage(before);
  return [{ seconds: (performance.now() - start) / 1000, cpu: (user + system) / 1e6 }, value];
}

/** Gaussian entries and a part of decaying values on top, as trained matrices have it; a rank-8 update as large as σ₁. */
async function decaying(tools: Tools, out: number, columns: number, salt = 0): Promise<MatrixPair> {
  const r = 32;
  const noise = normalMatrix(out, columns, out + columns + 100 * salt);
  const edge = Math.sqrt(out) + Math.sqrt(columns);
  const left = normalMatrix(out, r, 11 + 100 * salt);
  const scaled = {
    ...left,
    data: left.data.map((x, i) => (x * edge * 4 * 0.93 ** (i % r)) / Math.sqrt(out * columns)),
  };
  const top = await tools.linalg.multiply(scaled, normalMatrix(r, columns, 12 + 100 * salt));
  const base: Matrix = { ...noise, data: noise.data.map((x, i) => x + (top.data[i] ?? NaN)) };
  const factor: Factors = {
    B: normalMatrix(out, 8, 13 + 100 * salt),
    A: normalMatrix(8, columns, 14 + 100 * salt),
    scale: (4 * edge) / Math.sqrt(out * columns),
  };
  return {
    name: `${out} × ${columns}`,
    ...{ out, in: columns, module: "other", layer: undefined },
    ...{ baseDtype: "float32", tunedDtype: "float32", baseHash: "base", tunedHash: "tuned" },
    load: () => Promise.resolve({ base, update: { kind: "factors", factors: [factor] } }),
  };
}

function memoryCache(): SvdCache {
  const kept = new Map<string, KeptSvd>();
  return {
    read: (hash, kind) => Promise.resolve(kept.get(`${hash} ${kind}`)),
    write: (hash, kind, svd) => {
      kept.set(`${hash} ${kind}`, svd);
      return Promise.resolve();
    },
  };
}

/** The least of three: these take parts of a second, in which whatever else the machine does shows. */
async function quickest<T extends Cost | undefined>(measure: () => Promise<T>): Promise<T> {
  const costs = [await measure(), await measure(), await measure()] as const;
  return costs.reduce((best, cost) => ((cost?.seconds ?? 0) < (best?.seconds ?? 0) ? cost : best));
}

/** What a task costs NumPy's LAPACK, where `SPECTUNE_PYTHON` names a Python that has it. */
function measured(rows: number, columns: number, threads: number, task: string): Cost | undefined {
  const python = process.env["SPECTUNE_PYTHON"];
  if (python === undefined) return undefined;
  const script = join(import.meta.dirname, "support/lapack.py");
  const options = [rows, columns, threads].map(String);
  const text = execFileSync(python, [script, ...options, task], { encoding: "utf8" });
  const found: unknown = JSON.parse(text);
  if (!isRecord(found)) return undefined;
  return { seconds: Number(found["seconds"]), cpu: Number(found["cpu"]) };
}
