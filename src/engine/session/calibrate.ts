/** @file The passes over training data that starts ask for: their sites' inputs, gradients and Fisher information, when they are read. */
import { UserError, invariant } from "../../shared/errors.ts";
import type { CalibrationChoice, InputStatistics, StartNeed } from "../methods/start.ts";
import type { CalibrationBatch, CalibrationParts } from "../network/calibration.ts";
import { calibrationContext, openLayerStream } from "../network/calibration.ts";
import { gatherGradients } from "../network/calibration-gradients.ts";
import { gatherInputs, secondMoment } from "../network/calibration-inputs.ts";
import { createProgramCache } from "../network/program-cache.ts";
import type { StartingSite } from "./start-tensors.ts";
import { weightOf } from "./start-tensors.ts";

/** What starts read of the training data, each site's in the order of the model. */
export interface Calibrated {
  inputs(module: string, choice: CalibrationChoice): Promise<InputStatistics>;
  gradient(module: string, choice: CalibrationChoice): Promise<Float32Array>;
  fisher(module: string, choice: CalibrationChoice): Promise<Float32Array>;
  /** Frees what was compiled. */
  dispose(): Promise<void>;
}

export interface CalibrateParts extends Omit<CalibrationParts, "cache"> {
  readonly sites: readonly StartingSite[];
  readonly batchesOf: (choice: CalibrationChoice) => readonly CalibrationBatch[];
  readonly onProgress: (done: number, total: number) => void;
}

/** Bytes of gradients and what belongs to them that are held at a time; at least one matrix's are. */
const gradientBytes = 2 ** 30;

export function createCalibrated(parts: CalibrateParts): Calibrated {
  const { batchesOf, onProgress } = parts;
  const network = { ...parts, cache: createProgramCache(parts.backend) };
  const inputs = new Map<string, Promise<(module: string) => Promise<InputStatistics>>>();
  const gradients = new Map<string, (source: string) => Promise<Float32Array>>();

  const askers = (need: StartNeed, choice: CalibrationChoice): readonly StartingSite[] => {
    const key = JSON.stringify(choice);
    return parts.sites.filter(({ starts }) =>
      starts.some(
        ({ needs, calibration }) => needs.includes(need) && JSON.stringify(calibration) === key,
      ),
    );
  };
  const batches = (choice: CalibrationChoice): readonly CalibrationBatch[] => {
    const own = batchesOf(choice);
    if (own.length > 0) return own;
    throw new UserError({
      code: "no-calibration-data",
      message: "The start measures on training examples, and there are none.",
      remedy: "Give training data, or another start.",
    });
  };

  const openInputs = async (
    choice: CalibrationChoice,
  ): Promise<(module: string) => Promise<InputStatistics>> => {
    const context = calibrationContext(network);
    const stream = await openLayerStream(context, batches(choice));
    const modules = new Set(askers("inputs", choice).map(({ linear }) => linear.module));
    const peak = choice.peak ?? false;
    const gather = gatherInputs(context, stream, modules, (width) =>
      secondMoment(context, width, { peak }),
    );
    return async (module) => {
      const statistics = await gather(module);
      onProgress(stream.next, context.layers.length);
      return statistics;
    };
  };

  const gradientOf = (
    need: "gradient" | "fisher",
    module: string,
    choice: CalibrationChoice,
  ): Promise<Float32Array> => {
    const key = `${need} ${JSON.stringify(choice)}`;
    const sites = askers(need, choice);
    const gather =
      gradients.get(key) ??
      gatherGradients(
        network,
        batches(choice).map(({ batch }) => batch),
        sites.map(({ setup, linear }) => ({ block: setup.spec, tensor: weightOf(setup, linear) })),
        { kind: need === "gradient" ? "mean" : "squares", maxBytes: gradientBytes, onProgress },
      ).of;
    gradients.set(key, gather);
    const asked = sites.find(({ linear }) => linear.module === module);
    invariant(asked, `${module} asks for no gradient`);
    return gather(weightOf(asked.setup, asked.linear).source);
  };

  return {
    async inputs(module, choice) {
      const key = JSON.stringify(choice);
      const gather = inputs.get(key) ?? openInputs(choice);
      inputs.set(key, gather);
      return (await gather)(module);
    },
    gradient: (module, choice) => gradientOf("gradient", module, choice),
    fisher: (module, choice) => gradientOf("fisher", module, choice),
    dispose: () => network.cache.dispose(),
  };
}
