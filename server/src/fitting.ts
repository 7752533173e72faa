/** @file What would make a run fit into the machine's memory: each change is planned before it is offered. */
import type { Experiment } from "../../src/shared/experiment/fields/experiment-fields.ts";
import type { Fix } from "../../src/shared/experiment/findings.ts";
import type { Path } from "../../src/shared/experiment/tree.ts";
import type { CheckContext } from "./checks/check.ts";
import { computeTraining, foundData, trainingOf } from "./estimate.ts";
import type { Known } from "./facts.ts";
import { valueOf } from "./facts.ts";
import { createLaterOf } from "./later.ts";
import { memoryText } from "./numbers.ts";
import { settingFix } from "./settings.ts";

export interface Fitting {
  /** The field as the file would say it. */
  readonly said: string;
  readonly bytes: number;
  readonly fix: Fix;
}

interface Candidate {
  readonly path: Path;
  readonly text: string;
  readonly experiment: Experiment;
}

interface PlannedChange {
  readonly path: Path;
  readonly text: string;
  readonly bytes: number;
}

const laterChanges = createLaterOf<readonly PlannedChange[]>();

/** Changes that bring the run under the machine's memory, the gentlest first. */
export function whatFits(ctx: CheckContext): readonly Fitting[] {
  const planned = plannedChanges(ctx);
  return (valueOf(planned) ?? []).flatMap(({ path, text, bytes }) => {
    const said = `${path.join(".")}: ${text}`;
    const fix = settingFix(ctx, path, text, `Write \`${said}\` (${memoryText(bytes)})`);
    return fix === undefined ? [] : [{ said, bytes, fix }];
  });
}

function plannedChanges(ctx: CheckContext): Known<readonly PlannedChange[]> {
  const { facts, experiment, base } = ctx;
  const view = valueOf(ctx.model);
  const found = valueOf(foundData(experiment, facts, base));
  const training = valueOf(trainingOf(ctx));
  if (view === undefined || found === undefined || training === undefined)
    return { state: "pending" };
  const key = JSON.stringify(["fits", facts.memoryBytes, view.facts.folder, experiment]);
  return laterChanges(facts, key, () =>
    candidates(experiment, training.microBatchSize, found.train.counts.longest).flatMap(
      ({ path, text, experiment: changed }) => {
        const { memory } = computeTraining(changed, view, found, facts);
        return memory.total <= facts.memoryBytes ? [{ path, text, bytes: memory.total }] : [];
      },
    ),
  );
}

/** Changes that leave the result as it is come before those that do not. */
function candidates(
  experiment: Experiment,
  microBatch: number,
  longest: number,
): readonly Candidate[] {
  const { train, data, quantization } = experiment;
  const smaller = [2, 4, 8, 16]
    .map((divisor) => Math.floor(microBatch / divisor))
    .filter((size) => size >= 1 && train.batch_size % size === 0);
  const shorter = [2, 4].map((divisor) => Math.floor(Math.min(longest, data.max_length) / divisor));
  const trains = experiment.method.every(({ type }) => type !== "full");
  return [
    ...(train.gradient_checkpointing
      ? []
      : [
          {
            path: ["train", "gradient_checkpointing"],
            text: "true",
            experiment: { ...experiment, train: { ...train, gradient_checkpointing: true } },
          },
        ]),
    ...smaller.slice(0, 2).map((size) => ({
      path: ["train", "micro_batch_size"],
      text: String(size),
      experiment: { ...experiment, train: { ...train, micro_batch_size: size } },
    })),
    ...(quantization !== null || !trains
      ? []
      : [
          {
            path: ["quantization"],
            text: "nf4",
            experiment: {
              ...experiment,
              quantization: {
                type: "nf4",
                config: { block_size: 64, double_quant: true },
                skip_modules: ["lm_head"],
              },
            },
          },
        ]),
    ...shorter
      .filter((length) => length >= 16)
      .map((length) => ({
        path: ["data", "max_length"],
        text: String(length),
        experiment: { ...experiment, data: { ...data, max_length: length } },
      })),
  ];
}
