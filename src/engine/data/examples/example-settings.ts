/** @file What decides how rows become examples: the experiment file, and where the rows are read. */
import type { Experiment } from "../../../shared/experiment/fields/experiment-fields.ts";
import type { LoadedTokenizer } from "../tokenizer/load-tokenizer.ts";
import type { LabelTarget } from "./label-column.ts";

/** What the experiment file says of the form of examples. */
export type ExampleSettings = Pick<
  Experiment["data"],
  | "format"
  | "columns"
  | "labels"
  | "problem_type"
  | "template"
  | "chat_template"
  | "loss_on"
  | "max_length"
  | "too_long"
>;

export interface ExampleContext {
  readonly file: string;
  readonly task: Experiment["task"];
  readonly tokenizer: LoadedTokenizer;
  /** The time that chat templates see. */
  readonly now: Date;
  /** What the experiment says of `max_length`, where the model reads less and that counts. */
  readonly askedLength?: number | undefined;
  /** Told as the work goes on: the file, and its rows so far. */
  readonly onProgress?: ((file: string, rows: number) => void) | undefined;
  /** The training data's labels, for evaluation and test data. */
  readonly target?: LabelTarget | undefined;
}
