/** @file `spectune check`: what is wrong with an experiment file, without running it. */
import type { Command } from "../define.ts";
import { jsonOption } from "../define.ts";
import { findingText, readExperimentFile } from "../read-file.ts";
import { UserError } from "../../shared/errors.ts";

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
    const { experiment, findings } = await readExperimentFile(file, args.texts("set"), console.cwd);
    if (args.flag("json"))
      console.out(`${JSON.stringify({ valid: experiment !== undefined, findings })}\n`);
    else for (const finding of findings) console.out(findingText(finding));
    if (!experiment) {
      const errors = findings.filter(({ severity }) => severity === "error").length;
      throw new UserError({
        code: "invalid-experiment",
        message: `${file} has ${errors} error${errors === 1 ? "" : "s"}.`,
      });
    }
    if (!args.flag("json")) console.out(`${file} is valid.\n`);
    return 0;
  },
};
