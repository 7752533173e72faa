/** @file What an editor asks the process that reads for it: runs as they go, weights, data as tokens, comparisons. */
import { answers, nothing, tells } from "./channel.ts";
import type { AnalysisArray } from "./analysis.ts";
import type { Contract } from "./channel.ts";
import type { Comparison } from "./comparison.ts";
import type { CurveChunk } from "./curves.ts";
import type { TensorHistogram, TensorsView } from "./panels/tensors.ts";
import type { TokensView } from "./panels/tokens.ts";
import type { Evaluation } from "./protocol.ts";
import type { RunHead } from "./run-head.ts";
import { count, listOf, object, text } from "./wire.ts";

/** A run's record, from its beginning to now. */
export interface FollowedRun {
  readonly head: RunHead;
  readonly curve: CurveChunk;
  readonly evaluations: readonly Evaluation[];
}

/** A folder with weights. */
export interface FoundWeights {
  readonly folder: string;
  readonly kind: "model" | "adapter" | "trainer";
  /** An adapter's base as its configuration names it, a model's type. */
  readonly about: string;
  /** Of an adapter: `lora`, … */
  readonly type?: string;
  readonly rank?: number;
  /** Safetensors files, and their size. */
  readonly files: readonly string[];
  readonly bytes: number;
  /** Of a Trainer's output: its checkpoints. */
  readonly checkpoints?: number;
}

const oneRun = object<{ readonly run: string }>({ run: text }, {});
const someRuns = object<{ readonly runs: readonly string[] }>({ runs: listOf(text) }, {});
const oneFile = object<{ readonly file: string }>({ file: text }, {});

export const workbench = {
  requests: {
    /** Where the runs of an experiment file lie; it need not be there yet. */
    spectuneFolder: answers<string>().to(oneFile),
    /** The runs of these `.spectune` folders; from then on changes are told. */
    watch: answers<readonly RunHead[]>().to(
      object<{ readonly folders: readonly string[] }>({ folders: listOf(text) }, {}),
    ),
    /** All of a run; from then on its steps are told. */
    follow: answers<FollowedRun>().to(oneRun),
    unfollow: answers<null>().to(oneRun),
    /** Asks the run's process to stop after its step. */
    stop: answers<null>().to(oneRun),
    /** The end of what the run's process printed. */
    lastLines: answers<{ readonly log?: string; readonly lines: readonly string[] }>().to(oneRun),
    compare: answers<Comparison>().to(someRuns),
    findWeights: answers<readonly FoundWeights[]>().to(
      object<{ readonly folders: readonly string[]; readonly exclude: readonly string[] }>(
        { folders: listOf(text), exclude: listOf(text) },
        {},
      ),
    ),
    tensors: answers<TensorsView>().to(oneFile),
    histogram: answers<TensorHistogram>().to(
      object<{ readonly file: string; readonly tensor: string }>({ file: text, tensor: text }, {}),
    ),
    /** One tensor of the safetensors file of that name beside a document. */
    array: answers<AnalysisArray>().to(
      object<{ readonly file: string; readonly tensor: string }>({ file: text, tensor: text }, {}),
    ),
    /** Names of the catalog's quantizers. */
    quantizers: answers<readonly string[]>().to(nothing),
    tokens: answers<TokensView>().to(
      object<{ readonly file: string; readonly from: number; readonly count: number }>(
        { file: text, from: count, count },
        {},
      ),
    ),
  },
  events: {
    heads: tells<readonly RunHead[]>(),
    /** Runs that are no more. */
    gone: tells<readonly string[]>(),
    curve: tells<{ readonly run: string; readonly chunk: CurveChunk }>(),
    evaluations: tells<{ readonly run: string; readonly evaluations: readonly Evaluation[] }>(),
  },
} as const satisfies Contract;

/** How what the extension starts names the file that takes its output: beside the runs, in a folder of `.spectune`. */
export const logsFolder = "logs";

/** What a run's process prints first, and from which the log's reader knows the run. */
export const runFolderLine = /^run folder (.+)$/m;

/** What it prints first of a sweep. */
export const sweepFolderLine = /^sweep folder (.+)$/m;
