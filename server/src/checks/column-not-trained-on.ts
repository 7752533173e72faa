/** @file A column of labels or answers beside plain text, which nothing trains on. */
import { untrainedColumn } from "../../../src/shared/experiment/untrained-column.ts";
import { valueOf } from "../facts.ts";
import type { FactCheck } from "./check.ts";
import { formOf } from "./columns.ts";

export const columnNotTrainedOn: FactCheck = {
  code: "column-not-trained-on",
  severity: "warning",
  doc: "Rows with a text train as plain text unless the task or the columns say otherwise; a column `label` or `response` beside it then counts for nothing.",
  find({ experiment, facts: { data: dataOf }, resolve }) {
    const { format, train, columns } = experiment.data;
    const facts = valueOf(dataOf(resolve(train)));
    if (facts === undefined || format !== "auto" || formOf(experiment, facts) !== "text") return [];
    const untrained = untrainedColumn(facts.columns, columns.text);
    return untrained === undefined ? [] : [{ path: "data.train", ...untrained }];
  },
};
