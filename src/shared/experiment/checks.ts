/** @file Fields that are right each by itself and contradict each other, or cannot mean well: runs the checks. */
import type { Field } from "../schema.ts";
import { attentionOnlyTargets } from "./checks/attention-only-targets.ts";
import { bestWithoutEval } from "./checks/best-without-eval.ts";
import type { Check } from "./checks/check.ts";
import { chosenByTestData } from "./checks/chosen-by-test-data.ts";
import { computeDtypeOfProcessor } from "./checks/compute-dtype-of-processor.ts";
import { dataFileKind } from "./checks/data-file-kind.ts";
import { dataUsedTwice } from "./checks/data-used-twice.ts";
import { earlyStopNeverMeasured } from "./checks/early-stop-never-measured.ts";
import { earlyStopWithoutEval } from "./checks/early-stop-without-eval.ts";
import { epochsWithoutEffect } from "./checks/epochs-without-effect.ts";
import { evalWithoutData } from "./checks/eval-without-data.ts";
import { exactMatchWithoutCompletion } from "./checks/exact-match-without-completion.ts";
import { finalWithoutTest } from "./checks/final-without-test.ts";
import { forgettingOfClassifier } from "./checks/forgetting-of-classifier.ts";
import { formatNotForTask } from "./checks/format-not-for-task.ts";
import { labelsRepeated } from "./checks/labels-repeated.ts";
import { labelsWithoutEffect } from "./checks/labels-without-effect.ts";
import { learningRateFarOff } from "./checks/learning-rate-far-off.ts";
import { lossWithoutForm } from "./checks/loss-without-form.ts";
import { metricNotForTask } from "./checks/metric-not-for-task.ts";
import { metricNotMeasured } from "./checks/metric-not-measured.ts";
import { microBatchNotDivisor } from "./checks/micro-batch-not-divisor.ts";
import { modeAgainstMetric } from "./checks/mode-against-metric.ts";
import { numberIsTextElsewhere } from "./checks/number-is-text-elsewhere.ts";
import { packingWithLabels } from "./checks/packing-with-labels.ts";
import { revisionOfFolder } from "./checks/revision-of-folder.ts";
import { savedAndTargeted } from "./checks/saved-and-targeted.ts";
import { scaleExtreme } from "./checks/scale-extreme.ts";
import { sweepChangesScale } from "./checks/sweep-changes-scale.ts";
import { sweepOneLearningRate } from "./checks/sweep-one-learning-rate.ts";
import { sweepOneSeed } from "./checks/sweep-one-seed.ts";
import { sweepOverSeeds } from "./checks/sweep-over-seeds.ts";
import { sweepUnequalBudgets } from "./checks/sweep-unequal-budgets.ts";
import { sweepWithoutPoints } from "./checks/sweep-without-points.ts";
import { templateMalformed } from "./checks/template-malformed.ts";
import { templateUnused } from "./checks/template-unused.ts";
import { tuningSeedReported } from "./checks/tuning-seed-reported.ts";
import { tuningWithoutValues } from "./checks/tuning-without-values.ts";
import { twoTemplates } from "./checks/two-templates.ts";
import { versionMissing } from "./checks/version-missing.ts";
import { versionUnknown } from "./checks/version-unknown.ts";
import { warmupLongerThanRun } from "./checks/warmup-longer-than-run.ts";
import { warmupNotWhole } from "./checks/warmup-not-whole.ts";
import { wordIsBoolElsewhere } from "./checks/word-is-bool-elsewhere.ts";
import { inline } from "./describe.ts";
import type { Experiment } from "./fields/experiment-fields.ts";
import type { Report } from "./findings.ts";
import { fieldAt } from "./lookup.ts";
import type { MapNode } from "./tree.ts";
import { locationOf, nodeAt, plain } from "./tree.ts";

/** In the order in which their findings are told. */
export const checks: readonly Check[] = [
  versionUnknown,
  versionMissing,
  metricNotForTask,
  formatNotForTask,
  packingWithLabels,
  lossWithoutForm,
  twoTemplates,
  templateUnused,
  templateMalformed,
  labelsRepeated,
  labelsWithoutEffect,
  dataFileKind,
  dataUsedTwice,
  revisionOfFolder,
  microBatchNotDivisor,
  warmupNotWhole,
  warmupLongerThanRun,
  epochsWithoutEffect,
  learningRateFarOff,
  computeDtypeOfProcessor,
  scaleExtreme,
  attentionOnlyTargets,
  savedAndTargeted,
  earlyStopWithoutEval,
  earlyStopNeverMeasured,
  bestWithoutEval,
  evalWithoutData,
  finalWithoutTest,
  exactMatchWithoutCompletion,
  forgettingOfClassifier,
  chosenByTestData,
  metricNotMeasured,
  modeAgainstMetric,
  tuningWithoutValues,
  tuningSeedReported,
  sweepWithoutPoints,
  sweepOneSeed,
  sweepOverSeeds,
  sweepChangesScale,
  sweepUnequalBudgets,
  sweepOneLearningRate,
  numberIsTextElsewhere,
  wordIsBoolElsewhere,
];

/** Runs every check; what it finds is shown at the field that the file gives. */
export function checkExperiment(
  experiment: Experiment,
  document: MapNode,
  root: Field<unknown>,
  report: Report,
): void {
  const says = (path: string) => nodeAt(document, path.split(".")) !== undefined;
  const chooses = (path: string) => {
    const node = nodeAt(document, path.split("."));
    const field = fieldAt(root, document, path.split("."));
    return node !== undefined && inline(plain(node)) !== inline(field?.default);
  };
  const methods = fieldAt(root, document, ["method", "0"])?.shape;
  const rows = methods?.kind === "choice" ? methods.variants : {};
  const methodRow = (type: string) => (Object.hasOwn(rows, type) ? rows[type] : undefined);
  for (const { code, severity, find } of checks)
    for (const { path, message, remedy, fix } of find(experiment, {
      document,
      says,
      chooses,
      methodRow,
    })) {
      const steps = typeof path === "string" ? path.split(".") : path;
      report(code, locationOf(document, steps), { severity, message, path: steps, remedy, fix });
    }
}
