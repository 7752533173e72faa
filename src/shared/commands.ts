/** @file Every command of the editor: its words, what it acts on, where it is offered, and what it answers. */

/**
 * What a command acts on. It is called with paths, however it was called: of an experiment file, a run folder, an
 * adapter or model folder, a safetensors file. Called with none, it asks, or takes the active editor's file.
 */
export type CommandTarget =
  "nothing" | "experiment" | "run" | "runs" | "adapter" | "model" | "weights" | "tensors";

export interface MenuPlace {
  readonly menu: MenuName;
  readonly when?: string;
  readonly group?: string;
}

export type MenuName =
  | "editor/title"
  | "editor/title/run"
  | "explorer/context"
  | "view/title"
  | "view/item/context"
  | "commandPalette";

export interface CommandRow {
  readonly title: string;
  readonly icon?: string;
  readonly target: CommandTarget;
  /** The command of the command line that does the work: without it, this one is not offered. */
  readonly needs?: string;
  /** Starts a process that computes or changes files: only in a trusted workspace. */
  readonly trusted?: true;
  /** Beside the palette, where it stands unless `palette` is false. */
  readonly menus: readonly MenuPlace[];
  readonly palette: boolean;
}

const experimentEditor = "resourceLangId == spectune";
const experimentFile = "resourceFilename =~ /\\.peft\\.ya?ml$/";
const experimentItem = "view == spectune.experiments && viewItem == experiment";
const onRun = (states: string): string => `view == spectune.runs && viewItem =~ /^run\\.${states}/`;
const anyRun = onRun("");
const onSweep = "view == spectune.runs && viewItem == sweep";
const onWeights = "view == spectune.models && viewItem =~ /^(adapter|model|trainer)/";
const onAdapter = "view == spectune.models && viewItem =~ /^(adapter|trainer)/";
const onlyAdapter = "view == spectune.models && viewItem == adapter";
const onModel = "view == spectune.models && viewItem =~ /^model/";
const adapterFile = "resourceFilename == adapter_config.json";
const safetensorsFile = "resourceExtname == .safetensors";

/** In the order of the documentation; the id is what keybindings and other extensions know. */
export const commands = {
  "spectune.createSample": {
    title: "Create Sample Workspace",
    target: "nothing",
    palette: true,
    menus: [],
  },
  "spectune.newExperiment": {
    title: "New Experiment",
    icon: "$(new-file)",
    target: "weights",
    palette: true,
    menus: [
      { menu: "view/title", when: "view == spectune.experiments", group: "navigation" },
      { menu: "view/item/context", when: onWeights, group: "2_new" },
    ],
  },
  "spectune.run": {
    title: "Run Experiment",
    icon: "$(play)",
    target: "experiment",
    needs: "run",
    trusted: true,
    palette: true,
    menus: [
      { menu: "editor/title/run", when: experimentEditor, group: "navigation@1" },
      { menu: "explorer/context", when: experimentFile, group: "2_spectune@1" },
      { menu: "view/item/context", when: experimentItem, group: "inline" },
    ],
  },
  "spectune.plan": {
    title: "Plan Experiment",
    icon: "$(checklist)",
    target: "experiment",
    needs: "plan",
    palette: true,
    menus: [
      { menu: "editor/title/run", when: experimentEditor, group: "navigation@2" },
      { menu: "view/item/context", when: experimentItem, group: "1_run@2" },
    ],
  },
  "spectune.runSweep": {
    title: "Run Sweep",
    icon: "$(run-all)",
    target: "experiment",
    needs: "run",
    trusted: true,
    palette: true,
    menus: [],
  },
  "spectune.queue": {
    title: "Add to Queue",
    icon: "$(list-ordered)",
    target: "experiment",
    needs: "queue",
    trusted: true,
    palette: true,
    menus: [
      { menu: "editor/title/run", when: experimentEditor, group: "navigation@3" },
      { menu: "view/item/context", when: experimentItem, group: "1_run@3" },
    ],
  },
  "spectune.runQueue": {
    title: "Run Queue",
    icon: "$(run-all)",
    target: "nothing",
    needs: "queue",
    trusted: true,
    palette: true,
    menus: [{ menu: "view/title", when: "view == spectune.experiments", group: "1_queue" }],
  },
  "spectune.stop": {
    title: "Stop Run",
    icon: "$(debug-stop)",
    target: "run",
    palette: true,
    menus: [{ menu: "view/item/context", when: onRun("running"), group: "inline@1" }],
  },
  "spectune.resume": {
    title: "Resume Run",
    icon: "$(debug-continue)",
    target: "run",
    needs: "run",
    trusted: true,
    palette: true,
    menus: [
      {
        menu: "view/item/context",
        when: onRun("(stopped|failed|crashed|created)"),
        group: "inline@1",
      },
    ],
  },
  "spectune.openRun": {
    title: "Show Live Curves",
    icon: "$(graph-line)",
    target: "run",
    palette: true,
    menus: [{ menu: "view/item/context", when: anyRun, group: "1_look@1" }],
  },
  "spectune.compare": {
    title: "Compare Runs",
    icon: "$(diff)",
    target: "runs",
    needs: "compare",
    palette: true,
    menus: [
      { menu: "view/item/context", when: anyRun, group: "1_look@2" },
      { menu: "view/item/context", when: onSweep, group: "1_look@1" },
      { menu: "view/title", when: "view == spectune.runs", group: "navigation@3" },
    ],
  },
  "spectune.analyze": {
    title: "Analyze Spectra",
    icon: "$(symbol-ruler)",
    target: "weights",
    needs: "spectra",
    trusted: true,
    palette: true,
    menus: [
      { menu: "view/item/context", when: anyRun, group: "3_analyze@1" },
      { menu: "view/item/context", when: onWeights, group: "3_analyze@1" },
      { menu: "explorer/context", when: adapterFile, group: "2_spectune@2" },
    ],
  },
  "spectune.intruders": {
    title: "Count Intruder Dimensions",
    target: "weights",
    needs: "intruders",
    trusted: true,
    palette: true,
    menus: [
      { menu: "view/item/context", when: anyRun, group: "3_analyze@2" },
      { menu: "view/item/context", when: onSweep, group: "3_analyze@2" },
      { menu: "view/item/context", when: onAdapter, group: "3_analyze@2" },
    ],
  },
  "spectune.mitigate": {
    title: "Mitigate Intruder Dimensions",
    target: "weights",
    needs: "mitigate",
    trusted: true,
    palette: true,
    menus: [{ menu: "view/item/context", when: onAdapter, group: "3_analyze@3" }],
  },
  "spectune.compareAdapters": {
    title: "Compare Adapters",
    target: "adapter",
    needs: "diff",
    trusted: true,
    palette: true,
    menus: [{ menu: "view/item/context", when: onlyAdapter, group: "1_look@2" }],
  },
  "spectune.quantize": {
    title: "Quantize Model",
    target: "model",
    needs: "quantize",
    trusted: true,
    palette: true,
    menus: [{ menu: "view/item/context", when: onModel, group: "4_make@1" }],
  },
  "spectune.generate": {
    title: "Generate Text",
    icon: "$(comment-discussion)",
    target: "weights",
    needs: "generate",
    trusted: true,
    palette: true,
    menus: [
      { menu: "view/item/context", when: anyRun, group: "1_look@3" },
      { menu: "view/item/context", when: onWeights, group: "1_look@3" },
    ],
  },
  "spectune.showTokens": {
    title: "Show Data as Tokens",
    icon: "$(symbol-string)",
    target: "experiment",
    needs: "plan",
    palette: true,
    menus: [{ menu: "view/item/context", when: experimentItem, group: "1_run@4" }],
  },
  "spectune.merge": {
    title: "Merge Adapter into Model",
    target: "adapter",
    needs: "merge",
    trusted: true,
    palette: true,
    menus: [
      { menu: "view/item/context", when: anyRun, group: "4_make@1" },
      { menu: "view/item/context", when: onAdapter, group: "4_make@1" },
    ],
  },
  "spectune.export": {
    title: "Export Run",
    target: "run",
    needs: "export",
    trusted: true,
    palette: true,
    menus: [{ menu: "view/item/context", when: anyRun, group: "4_make@2" }],
  },
  "spectune.openReport": {
    title: "Open Report",
    target: "run",
    palette: true,
    menus: [
      {
        menu: "view/item/context",
        when: "view == spectune.runs && viewItem =~ /^run\\..*\\.report/",
        group: "1_look@4",
      },
      { menu: "view/item/context", when: onSweep, group: "1_look@4" },
    ],
  },
  "spectune.openExperiment": {
    title: "Open Recorded Experiment",
    target: "run",
    palette: false,
    menus: [{ menu: "view/item/context", when: anyRun, group: "1_look@5" }],
  },
  "spectune.openLog": {
    title: "Show What the Run Printed",
    target: "run",
    palette: true,
    menus: [{ menu: "view/item/context", when: anyRun, group: "1_look@6" }],
  },
  "spectune.revealRun": {
    title: "Reveal Run Folder",
    target: "run",
    palette: true,
    menus: [
      { menu: "view/item/context", when: anyRun, group: "5_folder@1" },
      { menu: "view/item/context", when: onSweep, group: "5_folder@1" },
    ],
  },
  "spectune.deleteRun": {
    title: "Delete Run",
    icon: "$(trash)",
    target: "runs",
    palette: true,
    menus: [
      {
        menu: "view/item/context",
        when: onRun("(finished|stopped|failed|crashed|created)"),
        group: "5_folder@2",
      },
    ],
  },
  "spectune.starRun": {
    title: "Star or Unstar Run",
    icon: "$(star)",
    target: "runs",
    palette: false,
    menus: [{ menu: "view/item/context", when: anyRun, group: "6_mark" }],
  },
  "spectune.sortRuns": {
    title: "Sort Runs",
    icon: "$(list-filter)",
    target: "nothing",
    palette: true,
    menus: [{ menu: "view/title", when: "view == spectune.runs", group: "navigation@1" }],
  },
  "spectune.filterRuns": {
    title: "Filter Runs",
    icon: "$(search)",
    target: "nothing",
    palette: true,
    menus: [{ menu: "view/title", when: "view == spectune.runs", group: "navigation@2" }],
  },
  "spectune.refresh": {
    title: "Look for Runs and Models Again",
    icon: "$(refresh)",
    target: "nothing",
    palette: true,
    menus: [
      { menu: "view/title", when: "view == spectune.models", group: "navigation" },
      { menu: "view/title", when: "view == spectune.runs", group: "9_refresh" },
    ],
  },
  "spectune.openTensors": {
    title: "Show Tensors",
    icon: "$(table)",
    target: "tensors",
    palette: false,
    menus: [
      { menu: "explorer/context", when: safetensorsFile, group: "2_spectune@1" },
      { menu: "view/item/context", when: onWeights, group: "1_look@1" },
    ],
  },
  "spectune.convert": {
    title: "Convert Configuration to an Experiment",
    target: "nothing",
    palette: true,
    menus: [
      { menu: "explorer/context", when: adapterFile, group: "2_spectune@3" },
      { menu: "editor/title", when: adapterFile, group: "2_spectune" },
    ],
  },
  "spectune.showOutput": {
    title: "Show Output",
    target: "nothing",
    palette: true,
    menus: [],
  },
} as const satisfies Readonly<Record<string, CommandRow>>;

export type CommandId = keyof typeof commands;

/** What a command resolves to, for other extensions and for tests; the others resolve to nothing. */
export interface CommandResults {
  /** The folder of the run that began. */
  readonly "spectune.run": string | undefined;
  readonly "spectune.resume": string | undefined;
  /** The folder that the sample was copied to. */
  readonly "spectune.createSample": string | undefined;
  /** What `plan --json` says. */
  readonly "spectune.plan": unknown;
}

export type ResultOfCommand<Id extends CommandId> = Id extends keyof CommandResults
  ? CommandResults[Id]
  : undefined;

/** Total by its type: a command without a handler does not compile. */
export type CommandHandlers = {
  readonly [Id in CommandId]: (
    paths: readonly string[],
  ) => ResultOfCommand<Id> | Promise<ResultOfCommand<Id>>;
};
