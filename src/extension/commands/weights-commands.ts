/** @file Commands on runs, adapters and models: look, analyze, generate, merge, export. */
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import * as vscode from "vscode";
import type { AnalysisSource } from "../../shared/analysis.ts";
import type { CommandHandlers } from "../../shared/commands.ts";
import type { App } from "../app.ts";
import { callWithProgress } from "../call.ts";
import { viewType } from "../panels/host.ts";
import { tensorsPanel } from "../../shared/panels/tensors.ts";
import { isRecord, parseJson } from "../../shared/wire.ts";
import { askNewFolder, askRuns, askWeights, explain } from "./ask.ts";

type Commands = Pick<
  CommandHandlers,
  | "spectune.analyze"
  | "spectune.intruders"
  | "spectune.mitigate"
  | "spectune.compareAdapters"
  | "spectune.quantize"
  | "spectune.generate"
  | "spectune.merge"
  | "spectune.export"
  | "spectune.openTensors"
>;

export function weightsCommands(app: App): Commands {
  const { runtime, panels } = app;
  const { t } = vscode.l10n;
  const tuned = ["run", "adapter", "trainer"] as const;

  const source = async (
    paths: readonly string[],
    title: string,
  ): Promise<AnalysisSource | undefined> => {
    const [first] = paths;
    // The lens above an experiment means its latest run.
    const chosen = first?.endsWith(".yaml") === true ? await latestRunOf(app, first) : paths;
    if (chosen === undefined) return undefined;
    const [one, two] = chosen;
    if (one !== undefined && two !== undefined) return { type: "pair", base: one, tuned: two };
    const folder = await askWeights(app, chosen, [...tuned, "model"], title);
    return folder === undefined ? undefined : await withBase(app, sourceOf(folderOf(folder)));
  };

  return {
    "spectune.analyze": async (paths) => {
      const subject = await source(paths, t("Whose spectra?"));
      if (subject !== undefined) panels.spectra.show({ source: subject });
      return undefined;
    },
    "spectune.intruders": async (paths) => {
      const subject = await source(paths, t("Whose intruder dimensions?"));
      if (subject !== undefined) panels.intruders.show({ source: subject });
      return undefined;
    },
    "spectune.mitigate": async (paths) => {
      const subject = await source(paths, t("Mitigate whose intruder dimensions?"));
      if (subject !== undefined) panels.intruders.show({ source: subject });
      return undefined;
    },
    "spectune.compareAdapters": async (paths) => {
      const ask = (given: readonly string[], title: string) =>
        askWeights(app, given, ["run", "adapter"], title);
      const first = await ask(paths.slice(0, 1), t("Compare which adapter?"));
      if (first === undefined) return undefined;
      const second = await ask(paths.slice(1, 2), t("With which adapter?"));
      if (second === undefined) return undefined;
      const folder = folderOf(first);
      const named = (await namedBase(folder)) ?? (await namedBase(join(folder, "adapter")));
      // Most updates need no base: one in the hub's cache, which may be missing there, is not asked for.
      const base = named !== undefined && existsSync(named) ? [`--base=${named}`] : [];
      const said = await callWithProgress(
        runtime(),
        t("Comparing {0}", [first, second].map((path) => basename(path)).join(", ")),
        { args: ["diff", folder, folderOf(second), ...base, "--json"], cwd: dirname(folder) },
      );
      const answer = said === undefined ? undefined : parseJson(said);
      if (isRecord(answer) && typeof answer["report"] === "string")
        await panels.report.show(answer["report"]);
      return undefined;
    },
    "spectune.quantize": async (paths) => {
      const model = await askWeights(app, paths, ["model"], t("Quantize which model?"));
      if (model !== undefined) panels.quantize.show({ model });
      return undefined;
    },
    "spectune.generate": async (paths) => {
      const model = await askWeights(app, paths, [...tuned, "model"], t("Generate with what?"));
      if (model !== undefined) panels.generate.show({ model: folderOf(model) });
      return undefined;
    },
    "spectune.merge": async (paths) => {
      const from = await askWeights(app, paths, tuned, t("Merge which adapter?"));
      if (from === undefined) return undefined;
      const folder = folderOf(from);
      const out = await askNewFolder(`${folder}-merged`, t("Where does the merged model go?"));
      if (out === undefined) return undefined;
      const isRun = existsSync(join(folder, "experiment.yaml"));
      const said = await callWithProgress(runtime(), t("Merging {0}", basename(folder)), {
        args: ["merge", ...(isRun ? [folder] : ["--adapter", folder]), "--out", out],
        cwd: dirname(folder),
      });
      if (said !== undefined) await made(app, out);
      return undefined;
    },
    "spectune.export": async (paths) => {
      const [run] = await askRuns(app, paths, () => true, t("Export which run?"));
      if (run === undefined) return undefined;
      const form = await vscode.window.showQuickPick(
        [
          { label: "peft", description: t("The adapter as Hugging Face peft loads it") },
          { label: "lora", description: t("As plain LoRA, where the method has that form") },
          { label: "merged", description: t("Base and adapter as one Hugging Face folder") },
          { label: "script", description: t("The experiment as a Python script on peft") },
        ],
        { placeHolder: t("Export as what?") },
      );
      if (form === undefined) return undefined;
      const near = join(dirname(dirname(dirname(run))), `${basename(run)}-${form.label}`);
      const out = await askNewFolder(
        form.label === "script" ? `${near}.py` : near,
        t("Where does it go?"),
      );
      if (out === undefined) return undefined;
      const said = await callWithProgress(runtime(), t("Exporting {0}", basename(run)), {
        args: ["export", run, "--as", form.label, "--out", out],
        cwd: dirname(run),
      });
      if (said !== undefined) await made(app, out);
      return undefined;
    },
    "spectune.openTensors": async (paths) => {
      const [first] = paths;
      if (first === undefined) return undefined;
      const file = first.endsWith(".safetensors") ? first : await weightsIn(first);
      if (file === undefined) throw new Error(t("There is no safetensors file in {0}.", first));
      const uri = vscode.Uri.file(file);
      await vscode.commands.executeCommand("vscode.openWith", uri, viewType(tensorsPanel));
      return undefined;
    },
  };
}

/** The newest run of an experiment file, as what a view's entry would have given. */
async function latestRunOf(
  { runs }: App,
  experiment: string,
): Promise<readonly string[] | undefined> {
  const name = basename(experiment).replace(/(\.peft)?\.ya?ml$/, "");
  const run = (await runs.watch()).find((head) => head.name === name);
  if (run !== undefined) return [run.folder];
  await explain(vscode.l10n.t("{0} has not been run yet: there is nothing to analyze.", name), [
    vscode.l10n.t("Run Experiment"),
    "spectune.run",
    experiment,
  ]);
  return undefined;
}

/** The folder of a file that stands for it, such as `adapter_config.json`. */
function folderOf(path: string): string {
  return /\.(?:json|safetensors)$/.test(path) ? dirname(path) : path;
}

function sourceOf(folder: string): AnalysisSource {
  // A sweep is looked into as a run is: all of its runs.
  if (["experiment.yaml", "sweep.json"].some((name) => existsSync(join(folder, name))))
    return { type: "run", folder };
  if (existsSync(join(folder, "adapter_config.json"))) return { type: "adapter", folder };
  if (existsSync(join(folder, "trainer_state.json"))) return { type: "checkpoints", folder };
  return { type: "model", folder };
}

/** An adapter says its base itself, by a folder or a hub id; where it is not there, it is asked for. */
async function withBase(app: App, source: AnalysisSource): Promise<AnalysisSource | undefined> {
  if (source.type !== "adapter" && source.type !== "checkpoints") return source;
  const named = await namedBase(source.folder);
  if (named !== undefined) return { ...source, base: named };
  const title = vscode.l10n.t("On which base was it trained?");
  const base = await askWeights(app, [], ["model"], title);
  return base === undefined ? undefined : { ...source, base };
}

/** The base that an adapter names, where it is a folder that is there or may be in the hub's cache. */
async function namedBase(adapter: string): Promise<string | undefined> {
  const text = await readFile(join(adapter, "adapter_config.json"), "utf8").catch(() => "");
  const config = parseJson(text);
  const named = isRecord(config) ? config["base_model_name_or_path"] : undefined;
  if (typeof named !== "string" || named === "") return undefined;
  const places = [adapter, dirname(adapter)].map((folder) => resolve(folder, named));
  const folder = places.find((place) => existsSync(place));
  // A hub id is looked for in the cache by the command line.
  return folder ?? (/^[\w-][\w.-]*\/[\w.-]+$/.test(named) ? named : undefined);
}

async function weightsIn(folder: string): Promise<string | undefined> {
  const name = (await readdir(folder)).toSorted().find((each) => each.endsWith(".safetensors"));
  return name === undefined ? undefined : join(folder, name);
}

async function made({ modelsTree }: App, path: string): Promise<void> {
  modelsTree.refresh();
  await explain(vscode.l10n.t("Wrote {0}.", path), [
    vscode.l10n.t("Reveal"),
    "revealInExplorer",
    vscode.Uri.file(path),
  ]);
}
