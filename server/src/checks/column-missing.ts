/** @file A column that the training data do not have. */
import { enumerate, inline } from "../../../src/shared/experiment/describe.ts";
import { insertionInto } from "../../../src/shared/experiment/edits.ts";
import type { Fix } from "../../../src/shared/experiment/findings.ts";
import { nearest } from "../../../src/shared/experiment/nearest.ts";
import { nodeAt } from "../../../src/shared/experiment/tree.ts";
import { valueOf } from "../facts.ts";
import type { CheckContext, FactCheck } from "./check.ts";
import { writing } from "./check.ts";
import { rolesOf } from "./columns.ts";

export const columnMissing: FactCheck = {
  code: "column-missing",
  severity: "error",
  doc: "`data.columns` says which column of the data plays which role; the first row without it ends the run.",
  find(ctx) {
    const { data } = ctx.experiment;
    const facts = valueOf(ctx.facts.data(ctx.resolve(data.train)));
    // A text file has no columns: each line is a text.
    if (facts === undefined || data.train.toLowerCase().endsWith(".txt")) return [];
    return rolesOf(ctx.experiment, facts).flatMap((role) => {
      const column = data.columns[role] ?? role;
      if (facts.columns.includes(column)) return [];
      const near = nearest(column, facts.columns) ?? usual(role, facts.columns);
      const path = ["data", "columns", role];
      return [
        {
          path: nodeAt(ctx.document, path) === undefined ? ["data", "train"] : path,
          message: `The training data have no column \`${column}\`; they have ${enumerate(facts.columns, "and") || "none"}.`,
          remedy: `Say in \`data.columns\` which column is the ${role.replace("_", " ")}.`,
          ...(near !== undefined && { fixes: naming(ctx, role, near) }),
        },
      ];
    });
  },
};

/** Names that data sets of the field give to a role. */
const names: Readonly<Record<string, readonly string[]>> = {
  text: ["sentence", "content", "document", "review", "sentence1", "premise", "question"],
  text_pair: ["sentence2", "hypothesis", "answer"],
  label: ["labels", "class", "target", "category", "score"],
  prompt: ["question", "instruction", "input", "query"],
  completion: ["answer", "output", "response", "target"],
  messages: ["conversations", "conversation", "chat", "dialogue"],
};

function usual(role: string, columns: readonly string[]): string | undefined {
  return names[role]?.find((name) => columns.includes(name));
}

/** Writes the column's name where the role has one, or adds it. */
function naming(ctx: CheckContext, role: string, column: string): readonly Fix[] {
  const { document } = ctx;
  const written = writing(ctx, ["data", "columns", role], column);
  if (written.length > 0) return written;
  const title = `Add \`${role}: ${column}\``;
  const columns = nodeAt(document, ["data", "columns"]);
  if (columns?.kind === "map")
    return [{ title, edits: insertionInto(columns, role, inline(column)) }];
  const data = nodeAt(document, ["data"]);
  if (data?.kind !== "map" || columns !== undefined) return [];
  return [{ title, edits: insertionInto(data, "columns", `{ ${role}: ${inline(column)} }`) }];
}
