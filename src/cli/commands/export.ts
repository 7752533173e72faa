/** @file `spectune export`: what a run made, in a form to go on with elsewhere. */
import { join, resolve } from "node:path";
import { requireNewFolder } from "../../engine/exports/new-folder.ts";
import { runLayout } from "../../engine/runs/run-folder.ts";
import {
  exportAdapter,
  exportMerged,
  exportScript,
  hasAdapter,
  lostInLora,
  unmergeable,
  withoutLora,
} from "../../engine/session/export-run.ts";
import { UserError } from "../../shared/errors.ts";
import type { Finding } from "../../shared/findings.ts";
import type { Command, Console } from "../define.ts";
import { jsonOption } from "../define.ts";
import type { ChosenModel } from "../model-options.ts";
import { modelOf } from "../model-options.ts";
import { findingText } from "../read-file.ts";
import { withModel } from "../with-model.ts";

const forms = ["peft", "lora", "merged", "script"] as const;
type Form = (typeof forms)[number];

/** Where a run keeps each form. */
const places: { readonly [F in Form]: string } = {
  peft: runLayout.adapter,
  lora: runLayout.lora,
  merged: runLayout.merged,
  script: runLayout.script,
};

export const exportCommand: Command = {
  name: "export",
  summary: "Write what a run made: adapter, merged model, or the experiment as a Python script.",
  usage: "RUN --as peft|lora|merged|script [--out PATH]",
  positionals: { min: 1, max: 1 },
  options: {
    as: { type: "string", value: "FORM", doc: "peft, lora, merged or script." },
    out: {
      type: "string",
      value: "PATH",
      doc: "Where it goes; it must not exist yet. By default the run folder's own place, which is written again.",
    },
    json: jsonOption,
  },
  async run(args, console) {
    const [run = ""] = args.positionals;
    const form = formNamed(args.text("as"));
    const chosen = await modelOf(run, console, []);
    const out = args.text("out");
    const path =
      out === undefined ? join(chosen.runFolder ?? "", places[form]) : resolve(console.cwd, out);
    if (out !== undefined) await requireNewFolder(path);
    const loses =
      form === "script"
        ? await exportScript(chosen.experiment, path).then(() => [])
        : await exportModel(chosen, form, path, console);
    const json = { form, path, ...(form === "lora" ? { loses } : {}) };
    if (args.flag("json")) console.out(`${JSON.stringify(json)}\n`);
    else {
      console.out(`${form}  ${path}\n`);
      for (const sentence of loses) console.err(`${sentence}\n`);
    }
    return 0;
  },
};

async function exportModel(
  chosen: ChosenModel,
  form: Exclude<Form, "script">,
  path: string,
  console: Console,
): Promise<readonly string[]> {
  const { method, train } = chosen.experiment;
  const lack = form === "lora" ? withoutLora(method) : undefined;
  if (lack !== undefined)
    throw new UserError({
      code: "no-lora-form",
      message: `No plain LoRA says exactly what the run trained: ${lack}.`,
      remedy: `Export it as ${[
        ...(hasAdapter(method) ? ["peft, in its own form"] : []),
        ...(unmergeable(method) === undefined ? ["merged"] : []),
      ].join(", or as ")}.`,
    });
  if (form !== "merged" && !hasAdapter(method))
    throw new UserError({
      code: "no-adapter-form",
      message: `No adapter file holds what the run trained (${method.map(({ type }) => type).join(" beside ")}).`,
      remedy: "Export it as merged.",
    });
  const tell = (finding: Finding): void => {
    console.err(findingText(finding));
  };
  await withModel(chosen, console, (open) =>
    form === "merged"
      ? exportMerged(open.trained, path, tell)
      : exportAdapter(open.method, open.trained, path, {
          seed: train.seed,
          plain: form === "lora",
        }),
  );
  return form === "lora" ? lostInLora(chosen.experiment) : [];
}

function formNamed(text: string | undefined): Form {
  const form = forms.find((name) => name === text);
  if (form !== undefined) return form;
  throw new UserError({
    code: "wrong-arguments",
    message: `spectune export needs --as with one of ${forms.join(", ")}${text === undefined ? "" : `, not ${text}`}.`,
    remedy: "Usage: spectune export RUN --as peft|lora|merged|script [--out PATH]",
  });
}
