/** @file `analyze` of an experiment: looks into the weights at the asked moments, writes analysis files and says what it saw. */
import { rm } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, join } from "node:path";
import { makeFolder } from "../runs/atomic.ts";
import { runLayout } from "../runs/run-folder.ts";
import { messageOf } from "../../shared/errors.ts";
import type { Experiment } from "../../shared/experiment/fields/experiment-fields.ts";
import type { EventBody, Metrics } from "../../shared/protocol.ts";
import { sum } from "../../shared/sums.ts";
import type { Hashed } from "../lab/analysis-file.ts";
import { lookForIntruders } from "../lab/look-intruders.ts";
import { lookAtSpectra } from "../lab/look-spectra.ts";
import type { Look, LookPlace } from "../lab/look.ts";
import { lookAt } from "../lab/look.ts";
import { cacheFolder } from "../lab/svd-cache.ts";
import { heldChoice } from "../lab/held-base.ts";
import { isDue } from "../train/due.ts";
import type { RunState } from "../train/run-state.ts";

export interface LookParts {
  readonly experiment: Experiment;
  /** Folder of the base. */
  readonly base: string;
  readonly runFolder: string;
  readonly steps: number;
  readonly stepsPerEpoch: number;
  /** Writes the weights as a checkpoint has them. */
  readonly write: (folder: string) => Promise<void>;
  readonly emit: (event: EventBody) => void;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Undefined where nothing is asked for. A look that fails is told of, and the run goes on. */
export function looksOf(parts: LookParts): ((state: RunState) => Promise<void>) | undefined {
  const { spectra, intruders } = parts.experiment.analyze;
  if (spectra === null && intruders === null) return undefined;
  const { steps, stepsPerEpoch } = parts;
  return async (state) => {
    const due = (every: Parameters<typeof isDue>[0]) =>
      isDue(every, state.step, steps, stepsPerEpoch);
    const asked = {
      spectra: spectra !== null && due(spectra),
      intruders: intruders !== null && due(intruders.every) ? intruders : undefined,
    };
    if (!asked.spectra && !asked.intruders) return;
    const weights = join(parts.runFolder, runLayout.analysis, `weights-step-${state.step}`);
    try {
      await makeFolder(weights);
      await parts.write(weights);
      if (asked.intruders) {
        const { k, epsilon } = asked.intruders;
        await see(
          parts,
          state,
          weights,
          "intruders",
          lookForIntruders({ k, epsilon }),
          (records) => ({
            intruders: sum(records.map(({ count }) => count)),
            undecided: sum(records.map(({ undecided }) => undecided)),
            matrices: records.length,
          }),
        );
      }
      if (asked.spectra)
        await see(parts, state, weights, "spectra", lookAtSpectra({}), (records) => ({
          relativeSize: mean(records.map(({ update }) => update?.relativeSize ?? 0)),
          stableRank: mean(records.map(({ base, tuned }) => (tuned ?? base).stableRank)),
          matrices: records.length,
        }));
    } catch (error) {
      parts.emit({
        type: "finding",
        finding: {
          code: "analysis-failed",
          severity: "warning",
          message: `Nothing was analyzed after step ${state.step}: ${messageOf(error)}`,
          remedy: "The run goes on; look at it later with `spectune intruders --checkpoints RUN`.",
        },
      });
    } finally {
      await rm(weights, { recursive: true, force: true });
    }
  };
}

async function see<R extends Hashed>(
  { experiment, base, runFolder, stepsPerEpoch, emit, env }: LookParts,
  { step }: RunState,
  folder: string,
  kind: "spectra" | "intruders",
  look: Look<R>,
  metrics: (records: readonly R[]) => Metrics,
): Promise<void> {
  const started = performance.now();
  const home = homedir();
  const place: LookPlace = {
    base,
    places: { base: runFolder, env: { ...env }, home },
    matrices: undefined,
    splitsFused: false,
    held: heldChoice(experiment.quantization),
    question: "dequantized-tuned",
    folder: join(runFolder, runLayout.analysis),
    cache: cacheFolder(env, home),
    versions: { node: process.versions.node },
  };
  const [result] = await lookAt(
    place,
    [{ kind: "checkpoint", folder, step, of: runFolder, experiment }],
    look,
    {
      tell(finding) {
        emit({ type: "finding", finding });
      },
      progress: () => undefined,
      isCancelled: () => false,
      now: () => performance.now(),
      time: () => new Date().toISOString(),
    },
  );
  if (!result) return;
  emit({
    type: "analysis",
    kind,
    step,
    epoch: step / stepsPerEpoch,
    file: `${runLayout.analysis}/${basename(result.file)}`,
    metrics: metrics(result.records),
    seconds: (performance.now() - started) / 1000,
  });
}

function mean(values: readonly number[]): number {
  return sum(values) / Math.max(1, values.length);
}
