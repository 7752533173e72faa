/** @file What measuring tells about one example: the raw material of every metric, kept with the run. */

/** The trained positions of an example: its label, or the tokens that have a loss. */
export interface TargetResult {
  readonly count: number;
  /** Σ of their losses, in nats. */
  readonly loss: number;
  /** How many of them have the highest logit. */
  readonly hits: number;
}

/** A class by number, or for regression the number itself. */
export interface LabelResult {
  readonly truth: number;
  readonly prediction: number;
}

export interface CompletionResult {
  readonly generated: string;
  readonly expected: string;
}

/** The kinds of result; a pass over the data makes some of them. */
export interface ResultKinds {
  readonly targets: TargetResult;
  readonly label: LabelResult;
  readonly completion: CompletionResult;
}

export type ResultKind = keyof ResultKinds;

export interface ExampleResult extends Partial<ResultKinds> {
  /** Number of the example in its split, from 0. */
  readonly index: number;
}

/** With the score that each metric gives the example, by the metric's name. */
export interface ScoredResult extends ExampleResult {
  readonly scores?: Readonly<Record<string, number>>;
}
