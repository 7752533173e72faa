/** @file Opens a model with or without an adapter for what needs no training: eval, generate, merge, export. */
import { createFullMatch } from "./python-regex.ts";
import { UserError } from "../../shared/errors.ts";
import type { Experiment } from "../../shared/experiment/fields/experiment-fields.ts";
import type { Finding } from "../../shared/findings.ts";
import type { OpenAdapter } from "../adapters/load-peft.ts";
import {
  checkCopies,
  fillFromAdapter,
  headOutputCount,
  openAdapter,
  placeOpenAdapter,
} from "../adapters/load-peft.ts";
import { readOwnAdapter } from "../exports/own-adapter.ts";
import type { PlacedAdapter } from "../adapters/place-adapter.ts";
import type { HeadOutputs, Task } from "../models/architecture.ts";
import type { StartRandom } from "../methods/start.ts";
import type { NetworkContext } from "../network/context.ts";
import { createContext } from "../network/context.ts";
import { createFactors } from "../network/factors.ts";
import { createParameters } from "../network/parameters.ts";
import { noState } from "../optimizers/define.ts";
import { createOrtBackend } from "../runtime/ort.ts";
import { readWeights, weightsFile } from "../train/run-state.ts";
import type { ModelPlaces, ModelReference } from "../weights/hub-cache.ts";
import { throwErrors } from "../weights/read-errors.ts";
import { openWeights } from "../weights/weight-source.ts";
import type { DeviceFields } from "./choose-device.ts";
import { chooseDevice } from "./choose-device.ts";
import { randomNumbers } from "./draw.ts";
import { inputRounding, withRoundedInputs } from "./rounded-inputs.ts";
import type { TrainedModel } from "./export-run.ts";
import type { Draw, OnProgress } from "./load-weights.ts";
import { startParameters } from "./load-weights.ts";
import { machineFacts } from "./machine-facts.ts";
import type { OpenModel } from "./open-model.ts";
import { openModel } from "./open-model.ts";
import { openNetwork } from "./open-network.ts";
import { matchMs } from "./prepare-run.ts";
import type { ModelSetup } from "./set-up.ts";
import { heldOn, setUpModel } from "./set-up.ts";
import { storedSizes } from "./start-run.ts";
import { startPlaces } from "./start-places.ts";
import { takeOffStored } from "./start-tensors.ts";
import { storedTensor } from "../models/stored-tensor.ts";

export interface InferenceModel {
  /** The base. */
  readonly reference: ModelReference;
  readonly task: Task;
  readonly trained: TrainedPart;
  readonly quantization: Experiment["quantization"];
  readonly device: DeviceFields;
}

/** What is added to the base. */
export type TrainedPart =
  | { readonly kind: "none" }
  | { readonly kind: "adapter"; readonly folder: string }
  /** A run's checkpoint under its own methods. */
  | {
      readonly kind: "checkpoint";
      readonly folder: string;
      readonly method: Experiment["method"];
      /** Of the experiment: factors that are not stored are drawn from it. */
      readonly seed: number;
    };

export interface OpenInference {
  readonly opened: OpenModel;
  readonly trained: TrainedModel;
  /** The methods that `trained` is set up with. */
  readonly method: Experiment["method"];
  readonly context: NetworkContext;
  /** The base alone, which shares its frozen weights with `context`. */
  readonly plain: () => Promise<NetworkContext>;
  readonly findings: readonly Finding[];
  readonly close: () => Promise<void>;
}

/** Opens files and weights; wrong input is a {@link UserError}. */
export async function openForInference(
  asked: InferenceModel,
  places: ModelPlaces,
  onProgress: OnProgress,
): Promise<OpenInference> {
  const model = { ...asked, trained: await trainedPart(asked.trained) };
  const adapter =
    model.trained.kind === "adapter" ? await openAdapter(model.trained.folder) : undefined;
  try {
    const opened = await openBase(model, adapter, places);
    try {
      return await openOnDevice(model, opened, adapter, onProgress);
    } catch (error) {
      await opened.source.close();
      throw error;
    }
  } finally {
    await adapter?.source.close();
  }
}

/** An adapter of our own form holds what a checkpoint holds. */
async function trainedPart(trained: TrainedPart): Promise<TrainedPart> {
  if (trained.kind !== "adapter") return trained;
  const own = await readOwnAdapter(trained.folder);
  if (!own) return trained;
  return { kind: "checkpoint", folder: trained.folder, method: own.method, seed: own.seed };
}

async function openBase(
  { reference, task, trained }: InferenceModel,
  adapter: OpenAdapter | undefined,
  places: ModelPlaces,
): Promise<OpenModel> {
  const labels =
    trained.kind === "checkpoint" ? await checkpointLabels(trained.folder) : adapter?.labels;
  return openModel(reference, task, places, labels === undefined ? undefined : headOutputs(labels));
}

/** One output is a number, as transformers reads one label. */
function headOutputs(labels: number): HeadOutputs {
  return { labels, target: labels === 1 ? "values" : "classes" };
}

/** Outputs of the classification head in a run's checkpoint. */
async function checkpointLabels(folder: string): Promise<number | undefined> {
  const source = await openWeights(weightsFile(folder));
  await source.close();
  return headOutputCount(source);
}

async function openOnDevice(
  model: InferenceModel,
  opened: OpenModel,
  adapter: OpenAdapter | undefined,
  onProgress: OnProgress,
): Promise<OpenInference> {
  const fullMatch = createFullMatch(matchMs);
  const placed = adapter && placeOpenAdapter(adapter, opened.model, fullMatch);
  if (adapter && placed) await checkCopies(placed, adapter.source, opened);
  const method = methodOf(model.trained, placed);
  const { quantization } = model;
  const device = chooseDevice(model.device, machineFacts());
  const setUp = (sizes: ReadonlyMap<string, number>) =>
    setUpModel(opened.model, { method, quantization }, opened.source.tensors, fullMatch, sizes);
  const asked = setUp(new Map());
  throwErrors(asked.findings);
  const { value, findings } =
    model.trained.kind === "checkpoint"
      ? setUp(await storedSizes(model.trained.folder, asked.value))
      : asked;
  throwErrors(findings);
  const setup = withRoundedInputs(heldOn(value, device.chosen), inputRounding(opened.config));
  if (model.trained.kind !== "checkpoint") refuseMissingHead(setup, opened, placed);

  const { chosen, threads } = device;
  const backend = await createOrtBackend({
    device: chosen,
    threads,
  });
  const network = await openNetwork({
    backend,
    setup,
    source: opened.source,
    layout: noState,
    checkpointing: false,
    draw: model.trained.kind === "checkpoint" ? drawSeeded(model.trained.seed) : drawNothing,
    drawMask: drawNoMask,
    onProgress,
  });
  const { context, parameters, factors, base } = network;
  if (adapter && placed) {
    // What is computed from the base is no part of an adapter.
    await startPlaces({ ...network, setup, random: noRandom, tokenize: () => new Int32Array(0) });
    await fillFromAdapter(placed, adapter.source, parameters, factors);
  }
  if (model.trained.kind === "checkpoint") {
    await readWeights(model.trained.folder, { parameters, factors });
    await takeOffStored({ ...network, setup });
  }
  const contexts = [context];
  return {
    opened,
    method,
    context,
    trained: {
      setup,
      backend,
      parameters,
      factors,
      base,
      reference: opened.resolved,
      storedType: (source) => storedTensor(opened.model, opened.source.tensors, { source })?.dtype,
    },
    async plain() {
      const made = await plainContext(context, setup, base, opened);
      contexts.push(made);
      return made;
    },
    findings: [...opened.findings, ...(adapter?.findings ?? []), ...findings],
    async close() {
      for (const { cache } of contexts) await cache.dispose();
      await opened.source.close();
    },
  };
}

function methodOf(trained: TrainedPart, placed: PlacedAdapter | undefined): Experiment["method"] {
  if (trained.kind === "checkpoint") return trained.method;
  return placed ? [placed.choice] : [];
}

/** A classification head that neither the checkpoint nor the adapter brings would be noise. */
function refuseMissingHead(
  setup: ModelSetup,
  opened: OpenModel,
  placed: PlacedAdapter | undefined,
): void {
  const brought = new Set(placed?.tensors.map(({ parameter }) => parameter));
  const missing = missingTensors(setup, opened).filter((name) => !brought.has(name));
  const [first] = missing;
  if (first === undefined) return;
  throw new UserError({
    code: "missing-head",
    message: `${opened.resolved.folder} has no ${first}${placed ? ", and the adapter does not bring it" : ""}: the head was never trained.`,
    place: { file: opened.resolved.folder },
    remedy: "Give an adapter with a classification head, or train one with `spectune run`.",
  });
}

/** Tensors of the model that train and that the checkpoint lacks. */
function missingTensors({ trained }: ModelSetup, opened: OpenModel): readonly string[] {
  return trained.flatMap(({ name, start }) =>
    "tensor" in start && !storedTensor(opened.model, opened.source.tensors, start.tensor)
      ? [name]
      : [],
  );
}

/** The network without methods, its own tensors as the checkpoint has them. */
async function plainContext(
  { backend }: NetworkContext,
  setup: ModelSetup,
  base: TrainedModel["base"],
  opened: OpenModel,
): Promise<NetworkContext> {
  const [missing] = missingTensors(setup, opened);
  if (missing !== undefined)
    throw new UserError({
      code: "missing-head",
      message: `The base alone has no ${missing}: there is nothing to compare with.`,
      place: { file: opened.resolved.folder },
      remedy: "Leave --compare out, or begin with a base that has a head.",
    });
  const setups = new Map(
    [...setup.setups].map(([id, block]) => [id, { ...block, sites: new Map(), places: new Map() }]),
  );
  const trained = setup.trained.filter(({ start }) => "tensor" in start);
  const parameters = createParameters(trained, noState);
  await startParameters({ ...setup, setups, trained }, parameters, opened.source, drawNothing);
  return createContext({
    backend,
    model: setup.model,
    setups,
    base,
    parameters,
    factors: createFactors([]),
    checkpointing: false,
    drawMask: drawNoMask,
  });
}

/** An adapter's own values replace what a start would draw. */
const noRandom = (): StartRandom => ({
  uniform: () => undefined,
  normal: () => undefined,
  permutation: (count) => Int32Array.from({ length: count }, (_, index) => index),
});

/** Factors of which a checkpoint holds the seed alone. */
function drawSeeded(seed: number): Draw {
  return randomNumbers(seed).start;
}

/** Everything that starts at random is filled from an adapter or a checkpoint. */
const drawNothing: Draw = () => undefined;
const drawNoMask = (): void => undefined;
