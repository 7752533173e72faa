/** @file `spectune check`: what is wrong with an experiment file, without running it. */
import type { Command } from "../define.ts";
import { jsonOption } from "../define.ts";
import { count } from "../format.ts";
import { findingText, readExperimentFile } from "../read-file.ts";
import { UserError } from "../../shared/errors.ts";
import { errorsOf } from "../../shared/findings.ts";

export const checkCommand: Command = {
  name: "check",
  summary: "Check an experiment file without running it.",
  usage: "FILE [--set key=value]… [--json]",
  positionals: { min: 1, max: 1 },
  options: {
    set: {
      type: "string",
      multiple: true,
      value: "KEY=VALUE",
      doc: "Override a field before checking.",
    },
    json: jsonOption,
  },
  async run(args, console) {
    const [file = ""] = args.positionals;
    const { experiment, findings, sweepRuns } = await readExperimentFile(
      file,
      args.texts("set"),
      console.cwd,
    );
    const valid = experiment !== undefined;
    if (args.flag("json")) console.out(`${JSON.stringify({ valid, sweepRuns, findings })}\n`);
    else for (const finding of findings) console.out(findingText(finding));
    if (!experiment) {
      const errors = errorsOf(findings).length;
      throw new UserError({
        code: "invalid-experiment",
        message: `${file} has ${errors} error${errors === 1 ? "" : "s"}.`,
      });
    }
    if (!args.flag("json")) {
      const runs = sweepRuns === undefined ? "" : `; its sweep has ${count(sweepRuns)} runs`;
      console.out(`${file} is valid${runs}.\n`);
    }
    return 0;
  },
};
