/** @file What web views show of analyses and quantizations: the JSON of the commands, and arrays that are too long for JSON. */
import type { Json } from "./schema.ts";
import type { Decoder } from "./wire.ts";
import { object, tagged, text } from "./wire.ts";

/** What is looked into: a run of ours, an adapter, two models of one shape, a Trainer's output, or a model alone. */
export type AnalysisSource =
  | { readonly type: "run"; readonly folder: string }
  | { readonly type: "adapter"; readonly folder: string; readonly base?: string }
  | { readonly type: "pair"; readonly base: string; readonly tuned: string }
  | { readonly type: "checkpoints"; readonly folder: string; readonly base?: string }
  | { readonly type: "model"; readonly folder: string };

type Body<T extends AnalysisSource["type"]> = Omit<Extract<AnalysisSource, { type: T }>, "type">;

export const analysisSource: Decoder<AnalysisSource> = tagged<{
  readonly run: Body<"run">;
  readonly adapter: Body<"adapter">;
  readonly pair: Body<"pair">;
  readonly checkpoints: Body<"checkpoints">;
  readonly model: Body<"model">;
}>({
  run: object<Body<"run">>({ folder: text }, {}),
  adapter: object<Body<"adapter">>({ folder: text }, { base: text }),
  pair: object<Body<"pair">>({ base: text, tuned: text }, {}),
  checkpoints: object<Body<"checkpoints">>({ folder: text }, { base: text }),
  model: object<Body<"model">>({ folder: text }, {}),
});

/** One `*.json` of an `analysis` folder, as its command wrote it. */
export interface AnalysisDocument {
  readonly file: string;
  /** Milliseconds since 1970. */
  readonly modified: number;
  readonly json: Json;
}

/** A tensor that lies in a safetensors file beside such a document. */
export interface AnalysisArray {
  readonly shape: readonly number[];
  readonly values: Float32Array | Float64Array;
}

/** How far a command is that a panel waits for. */
export interface WorkProgress {
  /** What it is doing, for people. */
  readonly text: string;
  /** In [0, 1]; absent where it is not known. */
  readonly share?: number;
  readonly secondsLeft?: number;
}

/** How a command ended that a panel waits for. */
export interface WorkEnd {
  /** Absent where all is well. */
  readonly error?: string;
  readonly cancelled?: boolean;
}
