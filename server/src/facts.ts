/** @file What the service asks about the world around a document; answers are there or not, and never waited for. */
import type { DType, Shape } from "../../src/shared/dtypes.ts";
import type { Experiment } from "../../src/shared/experiment/fields/experiment-fields.ts";
import type { Examples } from "../../src/engine/data/examples/example-store.ts";

/** An answer that may still be on its way, or that says why there is none. */
export type Known<T> =
  | { readonly state: "pending" }
  | { readonly state: "absent"; readonly why: Problem }
  | { readonly state: "known"; readonly value: T };

/** Why something could not be had. */
export interface Problem {
  readonly code: string;
  readonly message: string;
  readonly remedy?: string | undefined;
}

/** The value, where it is there. */
export function valueOf<T>(known: Known<T>): T | undefined {
  return known.state === "known" ? known.value : undefined;
}

export interface ModelFacts {
  readonly folder: string;
  /** Where the folder is a snapshot in a hub cache. */
  readonly hubId?: string;
  readonly snapshot?: string;
  /** config.json as it stands; `undefined` where there is none. */
  readonly config: unknown;
  /** From the headers of the weights. */
  readonly tensors: ReadonlyMap<
    string,
    { readonly shape: Shape; readonly dtype?: DType | undefined }
  >;
  /** The tokenizer brings a chat template. */
  readonly chatTemplate: boolean;
}

export interface DataFacts {
  readonly columns: readonly string[];
  /** Rows of the file; of a large one, estimated. */
  readonly rows: number;
  readonly exact: boolean;
  /** The distinct values of columns that have few, by column. */
  readonly values: ReadonlyMap<string, readonly string[]>;
}

/** Training examples as tokens; of a large file the first ones. */
export interface ExampleFacts {
  readonly examples: Examples;
  readonly counts: {
    readonly rows: number;
    readonly tokens: number;
    readonly trainedTokens: number;
    readonly longest: number;
    readonly tooLong: number;
  };
  readonly target:
    | { readonly kind: "class"; readonly names: readonly string[] }
    | { readonly kind: "number" }
    | undefined;
  readonly vocabSize: number;
  /** The examples are all that the file has. */
  readonly complete: boolean;
  /** How many the whole file has, at least nearly. */
  readonly total: number;
}

export interface FolderEntry {
  readonly name: string;
  readonly kind: "file" | "folder";
}

/** Whether an expression matches each of several texts whole, or why that cannot be told. */
export type Matched =
  | { readonly ok: true; readonly matches: readonly boolean[] }
  | { readonly ok: false; readonly problem: Problem };

/** Paths are absolute, with `/`. */
export interface Facts {
  /** A text file, as an editor has it open or else as it is stored. */
  readonly text: (file: string) => Known<string>;
  readonly folder: (folder: string) => Known<readonly FolderEntry[]>;
  /** A model by folder, relative to `base`, or by hub id. */
  readonly model: (id: string, revision: string | null, base: string) => Known<ModelFacts>;
  /** Hub ids of the models in the local cache. */
  readonly hubModels: () => Known<readonly string[]>;
  readonly data: (file: string) => Known<DataFacts>;
  readonly examples: (experiment: Experiment, base: string) => Known<ExampleFacts>;
  /** adapter_config.json of a folder. */
  readonly adapterConfig: (folder: string) => Known<unknown>;
  /** Memory that a run can have on this machine, in bytes. */
  readonly memoryBytes: number;
  /** Python's `re.fullmatch`, within a time limit for all the texts. */
  readonly match: (pattern: string, texts: readonly string[]) => Matched;
  /** Does work that is too long for a keystroke when nothing else is asked; its key tells it from other work. */
  readonly later: (key: string, work: () => void) => void;
}
