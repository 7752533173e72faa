/** @file `spectune merge`: a base and an adapter as one model. */
import { resolve } from "node:path";
import { requireNewFolder } from "../../engine/exports/new-folder.ts";
import { exportMerged } from "../../engine/session/export-run.ts";
import { UserError } from "../../shared/errors.ts";
import type { Arguments, Command } from "../define.ts";
import { jsonOption } from "../define.ts";
import { fidelityLines, mergeQuantized } from "../merge-quantized.ts";
import { chosenModel, modelOptions, pathOf } from "../model-options.ts";
import { findingText } from "../read-file.ts";
import { withModel } from "../with-model.ts";

const { revision, adapter, task, set } = modelOptions;

export const mergeCommand: Command = {
  name: "merge",
  summary: "Write a base with an adapter in its weights, as a Hugging Face folder.",
  usage: "(RUN | [--base MODEL] --adapter DIR) --out DIR [--into original | quantized]",
  positionals: { min: 0, max: 1 },
  options: {
    base: {
      type: "string",
      value: "MODEL",
      doc: "The base: a folder or a hub id in the local cache; by default the one that the adapter names.",
    },
    revision,
    adapter,
    task,
    set,
    out: { type: "string", value: "DIR", doc: "Where the model goes; it must not exist yet." },
    into: {
      type: "string",
      value: "WHAT",
      doc: "Of a quantized base: original, the float weights that it was made from (the default), or quantized ones again.",
    },
    data: {
      type: "string",
      value: "FILE",
      doc: "Text on which a merge of a quantized base is held against base and adapter; by default what it was calibrated on.",
    },
    json: jsonOption,
  },
  async run(args, console) {
    const from = args.positionals[0] ?? args.text("adapter");
    const out = args.text("out");
    if (from === undefined || out === undefined)
      throw new UserError({
        code: "wrong-arguments",
        message: `spectune merge needs ${out === undefined ? "--out" : "a run, or --adapter"}.`,
        remedy: `Usage: spectune merge ${mergeCommand.usage}`,
      });
    const folder = resolve(console.cwd, out);
    await requireNewFolder(folder);
    const named = { ...args, text: (name: string) => args.text(name === "model" ? "base" : name) };
    const chosen = await chosenModel(named, console, []);
    if (chosen.model.trained.kind === "none")
      throw new UserError({
        code: "nothing-to-merge",
        message: `${from} is a model without an adapter: there is nothing to merge.`,
        remedy: "Give a run, or --adapter with the adapter's folder.",
      });
    const into = intoOf(args);
    const fidelity = await mergeQuantized(chosen, console, {
      into,
      folder,
      data: pathOf(args.text("data"), console),
    });
    if (!fidelity)
      await withModel(chosen, console, ({ trained }) =>
        exportMerged(trained, folder, (finding) => {
          console.err(findingText(finding));
        }),
      );
    console.out(
      args.flag("json")
        ? `${JSON.stringify({ folder, ...fidelity })}\n`
        : `merged model  ${folder}\n${fidelity ? fidelityLines(fidelity) : ""}`,
    );
    return 0;
  },
};

function intoOf(args: Arguments): "original" | "quantized" | undefined {
  const text = args.text("into");
  if (text === undefined || text === "original" || text === "quantized") return text;
  throw new UserError({
    code: "wrong-arguments",
    message: `--into is original or quantized, not ${text}.`,
    remedy: "Leave it out for the weights that the base was made from.",
  });
}
