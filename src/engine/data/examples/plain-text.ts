/** @file The settings with which a file is read as plain text, whatever an experiment's own data are. */
import type { Experiment } from "../../../shared/experiment/fields/experiment-fields.ts";

/** Every token has a loss, and what is too long is cut. */
export function plainText(data: Experiment["data"], file: string): Experiment["data"] {
  return {
    ...data,
    train: file,
    format: "text",
    columns: { ...data.columns, text: "text" },
    template: null,
    chat_template: null,
    loss_on: "all",
    too_long: "truncate",
  };
}
