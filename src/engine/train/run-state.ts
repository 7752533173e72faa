/** @file What a checkpoint holds beside tensors, and the saving and loading of both. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Shape } from "../../shared/dtypes.ts";
import type { Metrics } from "../../shared/protocol.ts";
import { UserError, invariant } from "../../shared/errors.ts";
import { isRecord } from "../../shared/wire.ts";
import type { Factors } from "../network/factors.ts";
import { isTaken } from "../network/factors.ts";
import type { Parameters, StateTensor } from "../network/parameters.ts";
import { openWeights } from "../weights/weight-source.ts";
import type { TensorToWrite } from "../weights/write-safetensors.ts";
import { writeSafetensors } from "../weights/write-safetensors.ts";

/** Where training stands after a step; everything random follows from seed and step. */
export interface RunState {
  readonly step: number;
  /** The best measurement so far by `eval.best`. */
  readonly best: { readonly step: number; readonly value: number } | null;
  /** Measurements since the best one, for early stopping. */
  readonly sinceBest: number;
  /** Σ loss · targets and Σ targets over all steps, for the mean training loss. */
  readonly lossSum: number;
  readonly lossSteps: number;
  readonly tokens: number;
  /** Measurements before the first step and the last one. */
  readonly evalBefore: Metrics | null;
  readonly evalLast: Metrics | null;
  /** The base's metrics on general text. */
  readonly generalBefore: Metrics | null;
}

export const firstState: RunState = {
  step: 0,
  best: null,
  sinceBest: 0,
  lossSum: 0,
  lossSteps: 0,
  tokens: 0,
  evalBefore: null,
  evalLast: null,
  generalBefore: null,
};

const weightsName = "parameters.safetensors";
const optimizerName = "optimizer.safetensors";
const factorsName = "factors.safetensors";

/** What a checkpoint holds in tensors. */
export interface Saved {
  readonly parameters: Parameters;
  readonly factors: Factors;
}

/** Bytes that {@link writeTensors} will write, nearly. */
export function checkpointBytes({ parameters, factors }: Saved): number {
  return 4 * (parameters.count + parameters.stateCount) + factors.bytes() + 65536;
}

/** Writes the trained tensors, the optimizer's state and stored factors into a folder. */
export async function writeTensors(folder: string, saved: Saved): Promise<void> {
  const { parameters } = saved;
  await writeWeights(folder, saved);
  const optimizer = statesOf(parameters).map(([name, { shape, data }]) =>
    tensor(name, shape, data),
  );
  await writeSafetensors(join(folder, optimizerName), optimizer, { format: "spectune-checkpoint" });
}

/** The same without the optimizer's state. */
export async function writeWeights(folder: string, { parameters, factors }: Saved): Promise<void> {
  const all = [...parameters.all.values()];
  const weights = all.map(({ name, shape, weight }) => tensor(name, shape, weight));
  await writeSafetensors(join(folder, weightsName), weights, { format: "spectune-checkpoint" });
  const stored = [...factors.all.values()].filter((factor) => factor.stored);
  if (stored.length === 0) return;
  await writeSafetensors(
    join(folder, factorsName),
    stored.map(({ name, shape, data }) => tensor(name, shape, data)),
    { format: "spectune-checkpoint" },
  );
}

function tensor(
  name: string,
  shape: readonly number[],
  data: Float32Array | Int32Array,
): TensorToWrite {
  return {
    name,
    dtype: data instanceof Int32Array ? "int32" : "float32",
    shape,
    chunks: () => [new Uint8Array(data.buffer, data.byteOffset, data.byteLength)],
  };
}

/** Reads what {@link writeTensors} wrote; a checkpoint of another setup is refused. */
export async function readTensors(folder: string, { parameters, factors }: Saved): Promise<void> {
  await readWeights(folder, { parameters, factors });
  const optimizer = statesOf(parameters).map(([name, { data }]) => [name, data] as const);
  await fill(join(folder, optimizerName), optimizer);
}

/** All state of the optimizer, by its name in a checkpoint. */
function statesOf(parameters: Parameters): readonly (readonly [string, StateTensor])[] {
  return [...parameters.all.keys()].flatMap((name) =>
    [...parameters.statesOf(name)].map(([state, tensor]) => [`${state}.${name}`, tensor] as const),
  );
}

async function fill(
  file: string,
  targets: readonly (readonly [string, Float32Array | Int32Array])[],
): Promise<void> {
  const source = await openWeights(file);
  try {
    for (const [name, data] of targets) {
      const tensor = source.tensors.get(name);
      const isIndex = data instanceof Int32Array;
      if (tensor?.bytes !== data.byteLength || tensor.dtype !== (isIndex ? "int32" : "float32"))
        throw new UserError({
          code: "checkpoint-mismatch",
          message: `The checkpoint has no tensor ${name} of ${data.length} elements.`,
          place: { file },
          remedy: "It belongs to another experiment; resume with the run's own experiment.yaml.",
        });
      const bytes = await source.read(name);
      data.set(
        isIndex
          ? new Int32Array(bytes.buffer, bytes.byteOffset, data.length)
          : new Float32Array(bytes.buffer, bytes.byteOffset, data.length),
      );
    }
  } finally {
    await source.close();
  }
}

/** The state of a checkpoint, as JSON gave it back. */
export function parseRunState(json: unknown): RunState {
  invariant(isRecord(json), "a checkpoint's state is no object");
  const number = (name: string): number => {
    const value = json[name];
    invariant(typeof value === "number", `a checkpoint's state lacks ${name}`);
    return value;
  };
  const metrics = (name: string): Metrics | null => {
    const value = json[name];
    if (!isRecord(value)) return null;
    return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, Number(entry)]));
  };
  const best = json["best"];
  return {
    step: number("step"),
    best: isRecord(best) ? { step: Number(best["step"]), value: Number(best["value"]) } : null,
    sinceBest: number("sinceBest"),
    lossSum: number("lossSum"),
    lossSteps: number("lossSteps"),
    tokens: number("tokens"),
    evalBefore: metrics("evalBefore"),
    evalLast: metrics("evalLast"),
    generalBefore: metrics("generalBefore"),
  };
}

/** The file of a checkpoint's trained weights. */
export function weightsFile(folder: string): string {
  return join(folder, weightsName);
}

/** Shapes of a checkpoint's trained tensors and stored factors by name. */
export async function checkpointShapes(folder: string): Promise<ReadonlyMap<string, Shape>> {
  const shapes = new Map<string, Shape>();
  for (const file of [weightsName, factorsName].map((name) => join(folder, name))) {
    if (!existsSync(file)) continue;
    const source = await openWeights(file);
    for (const [name, { shape }] of source.tensors) shapes.set(name, shape);
    await source.close();
  }
  return shapes;
}

/** The trained weights and stored factors alone, such as those of the best checkpoint. */
export async function readWeights(
  folder: string,
  { parameters, factors }: Pick<Saved, "parameters" | "factors">,
): Promise<void> {
  await fill(
    join(folder, weightsName),
    [...parameters.all.values()].map(({ name, weight }) => [name, weight]),
  );
  const stored = [...factors.all.values()].filter((factor) => factor.stored);
  await addTaken(join(folder, factorsName), factors);
  if (stored.length === 0) return;
  await fill(
    join(folder, factorsName),
    stored.map(({ name, data }) => [name, data]),
  );
  for (const { name } of stored) factors.changed(name);
}

/** Makes room for the pairs that were taken off the base: no setup names them. */
async function addTaken(file: string, factors: Factors): Promise<void> {
  if (!existsSync(file)) return;
  const source = await openWeights(file);
  try {
    for (const { name, shape } of source.tensors.values()) {
      if (!isTaken(name)) continue;
      const bytes = await source.read(name);
      factors.add(name, shape, new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4));
    }
  } finally {
    await source.close();
  }
}
