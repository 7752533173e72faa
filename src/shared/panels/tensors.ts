/** @file The read-only editor of safetensors files: what the header says, and the distribution of one tensor. */
import { answers, nothing, tells } from "../channel.ts";
import { object, text } from "../wire.ts";
import type { PanelContract } from "./panel.ts";
import { commonRequests } from "./panel.ts";

export interface ListedTensor {
  readonly name: string;
  /** As the file names it, such as `BF16`. */
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: number;
}

export interface TensorsView {
  readonly file: string;
  readonly bytes: number;
  readonly tensors: readonly ListedTensor[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** A histogram of finite values, in equal bins, and the moments of them. */
export interface TensorHistogram {
  readonly tensor: string;
  /** One more than there are counts. */
  readonly edges: Float64Array;
  readonly counts: Float64Array;
  readonly values: number;
  readonly mean: number;
  readonly deviation: number;
  readonly least: number;
  readonly greatest: number;
  readonly zeros: number;
  /** NaN and infinite values. */
  readonly nonFinite: number;
}

export const tensorsPanel = {
  name: "tensors",
  subject: object<{ readonly file: string }>({ file: text }, {}),
  requests: {
    ...commonRequests,
    load: answers<TensorsView>().to(nothing),
    histogram: answers<TensorHistogram>().to(
      object<{ readonly tensor: string }>({ tensor: text }, {}),
    ),
  },
  events: {
    /** The file was written anew: load. */
    changed: tells<null>(),
  },
} as const satisfies PanelContract;
