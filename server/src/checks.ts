/** @file The checks against the world around a document: models, data, adapters, memory. */
import { adapterNotFound } from "./checks/adapter-not-found.ts";
import { adapterOfOtherRank } from "./checks/adapter-of-other-rank.ts";
import { batchAboveData } from "./checks/batch-above-data.ts";
import { chatTemplateMissing } from "./checks/chat-template-missing.ts";
import type { FactCheck } from "./checks/check.ts";
import { columnMissing } from "./checks/column-missing.ts";
import { columnNotTrainedOn } from "./checks/column-not-trained-on.ts";
import { dataFileMissing } from "./checks/data-file-missing.ts";
import { dataUnreadable } from "./checks/data-unreadable.ts";
import { examplesCut } from "./checks/examples-cut.ts";
import { pairChecks } from "./checks/excluded-pairs.ts";
import { exclusionWithoutMatch } from "./checks/exclusion-without-match.ts";
import { fewEvalExamples } from "./checks/few-eval-examples.ts";
import { fewSteps } from "./checks/few-steps.ts";
import { labelNotInData } from "./checks/label-not-in-data.ts";
import { labelNotListed } from "./checks/label-not-listed.ts";
import { layerOutOfRange } from "./checks/layer-out-of-range.ts";
import { maxLengthAboveModel } from "./checks/max-length-above-model.ts";
import { memoryOverMachine } from "./checks/memory-over-machine.ts";
import { modelDoesNotTrain } from "./checks/model-does-not-train.ts";
import { modelNotFound } from "./checks/model-not-found.ts";
import { moduleToSaveWithoutMatch } from "./checks/module-to-save-without-match.ts";
import { neverDue } from "./checks/never-due.ts";
import { noTargetMatches } from "./checks/no-target-matches.ts";
import { patienceNeverReached } from "./checks/patience-never-reached.ts";
import { patternWithoutMatch } from "./checks/pattern-without-match.ts";
import { promptExceedsModel } from "./checks/prompt-exceeds-model.ts";
import { rankExceedsDimension } from "./checks/rank-exceeds-dimension.ts";
import { rankOfDecomposition } from "./checks/rank-of-decomposition.ts";
import { regexUnusable } from "./checks/regex-unusable.ts";
import { sharedShapesDiffer } from "./checks/shared-shapes-differ.ts";
import { singleLabel } from "./checks/single-label.ts";
import { skippedModuleWithoutMatch } from "./checks/skipped-module-without-match.ts";
import { targetWithoutMatch } from "./checks/target-without-match.ts";
import { templateColumnMissing } from "./checks/template-column-missing.ts";
import { tokenOutsideVocabulary } from "./checks/token-outside-vocabulary.ts";
import { tokenizerUnusable } from "./checks/tokenizer-unusable.ts";
import { twoMethodsAtOneSite } from "./checks/two-methods-at-one-site.ts";
import { unusedTensors } from "./checks/unused-tensors.ts";
import { warmupOutlastsTraining } from "./checks/warmup-outlasts-training.ts";
import { weightsOfAnotherModel } from "./checks/weights-of-another-model.ts";

/** In the order in which their findings are told. */
export const factChecks: readonly FactCheck[] = [
  modelNotFound,
  modelDoesNotTrain,
  weightsOfAnotherModel,
  tokenizerUnusable,
  unusedTensors,
  regexUnusable,
  noTargetMatches,
  targetWithoutMatch,
  exclusionWithoutMatch,
  patternWithoutMatch,
  rankExceedsDimension,
  rankOfDecomposition,
  layerOutOfRange,
  twoMethodsAtOneSite,
  promptExceedsModel,
  tokenOutsideVocabulary,
  sharedShapesDiffer,
  ...pairChecks,
  moduleToSaveWithoutMatch,
  skippedModuleWithoutMatch,
  adapterNotFound,
  adapterOfOtherRank,
  dataFileMissing,
  dataUnreadable,
  columnMissing,
  columnNotTrainedOn,
  templateColumnMissing,
  chatTemplateMissing,
  labelNotInData,
  labelNotListed,
  singleLabel,
  maxLengthAboveModel,
  examplesCut,
  batchAboveData,
  fewEvalExamples,
  fewSteps,
  neverDue,
  patienceNeverReached,
  warmupOutlastsTraining,
  memoryOverMachine,
];
