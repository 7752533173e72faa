/** @file `spectune check`: what is wrong with an experiment file, without running it. */
import { resolve } from "node:path";
import type { Command } from "../define.ts";
import { jsonOption } from "../define.ts";
import { deviceFinding } from "../device-finding.ts";
import { experimentText, requireExperimentText } from "../experiment-text.ts";
import { count } from "../format.ts";
import { checkFile } from "../language-server/check-file.ts";
import { findingText } from "../read-file.ts";
import { UserError } from "../../shared/errors.ts";
import type { Finding } from "../../shared/findings.ts";
import { errorsOf, hasErrors } from "../../shared/findings.ts";

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
    const path = resolve(console.cwd, file);
    const text = await requireExperimentText(path, file);
    const overrides = args.texts("set");
    const checked = await checkFile({ file: path, text, overrides, otherText: experimentText });
    const { experiment, document, sweepRuns } = checked;
    const ofDevice = experiment && (await deviceFinding(experiment.run, document));
    const findings: readonly Finding[] = [...checked.findings, ...(ofDevice ? [ofDevice] : [])];
    const valid = experiment !== undefined && !hasErrors(findings);
    if (args.flag("json")) console.out(`${JSON.stringify({ valid, sweepRuns, findings })}\n`);
    else for (const finding of findings) console.out(findingText(finding));
    if (!valid) {
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
