/** @file A data file that cannot be read as what its name says. */
import { dataFiles } from "../../../src/shared/experiment/checks/data-files.ts";
import type { FactCheck } from "./check.ts";

export const dataUnreadable: FactCheck = {
  code: "data-unreadable",
  severity: "error",
  doc: "An empty file, a line that is no JSON, a table with rows of unequal length: the run would refuse it with the same words.",
  find: (ctx) =>
    dataFiles(ctx.experiment).flatMap(({ path, file }) => {
      const facts = ctx.facts.data(ctx.resolve(file));
      // That a file is missing, or of a kind that is not read, others say.
      if (
        facts.state !== "absent" ||
        /no-such|unknown-data|not-a-file|missing/.test(facts.why.code)
      )
        return [];
      const { message, remedy } = facts.why;
      return [{ path, message, ...(remedy !== undefined && { remedy }) }];
    }),
};
