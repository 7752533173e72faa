/** @file Fields that are right each by itself and contradict each other. One small function each. */
import type { Experiment } from "./fields/experiment-fields.ts";
import { formatVersion } from "./fields/experiment-fields.ts";
import { isMetric, metrics } from "./fields/metrics.ts";
import { metricName } from "./fill.ts";
import type { ExperimentCode, Fix, Report } from "./findings.ts";
import { enumerate, inline } from "./describe.ts";
import { fieldAt } from "./lookup.ts";
import { nearest } from "./nearest.ts";
import type { Severity } from "../findings.ts";
import type { Field } from "../schema.ts";
import type { MapNode, Path } from "./tree.ts";
import { locationOf, nodeAt, plain } from "./tree.ts";

interface Contradiction {
  readonly code: ExperimentCode;
  readonly severity: Severity;
  /** Dotted, or in steps where a key has dots of its own. */
  readonly path: string | Path;
  readonly message: string;
  readonly remedy?: string;
  readonly fix?: Fix;
}

/** What the files themselves say. */
interface Said {
  readonly document: MapNode;
  /** They give the field. */
  readonly says: (path: string) => boolean;
  /** They give it another value than its default, so that somebody meant it. */
  readonly chooses: (path: string) => boolean;
}

/** Looks at the completed experiment. */
type Check = (experiment: Experiment, said: Said) => readonly Contradiction[];

/** Runs every check; what it finds is shown at the field that the file gives. */
export function checkExperiment(
  experiment: Experiment,
  document: MapNode,
  root: Field<unknown>,
  report: Report,
): void {
  const says = (path: string) => nodeAt(document, path.split(".")) !== undefined;
  const chooses = (path: string) => {
    const node = nodeAt(document, path.split("."));
    const field = fieldAt(root, document, path.split("."));
    return node !== undefined && inline(plain(node)) !== inline(field?.default);
  };
  for (const check of checks) {
    for (const found of check(experiment, { document, says, chooses })) {
      const { code, severity, path, message, remedy, fix } = found;
      const steps = typeof path === "string" ? path.split(".") : path;
      const at = locationOf(document, steps);
      report(code, at, { severity, message, path: steps, remedy, fix });
    }
  }
}

function contradiction(path: string | Path, message: string, remedy: string): Contradiction {
  return { code: "contradiction", severity: "error", path, message, remedy };
}

function withoutEffect(path: string, message: string, remedy: string): Contradiction {
  return { code: "without-effect", severity: "warning", path, message, remedy };
}

const version: Check = ({ version: written }, { says, document }) => {
  if (written !== formatVersion) {
    const message = `Version ${written} of the format is not known; this reads version ${formatVersion}.`;
    const remedy = "A newer Spectune may have written the file.";
    return [{ code: "version-unknown", severity: "error", path: "version", message, remedy }];
  }
  if (says("version")) return [];
  const start = document.at.source.file;
  const edits = [{ file: start, start: 0, end: 0, text: `version: ${formatVersion}\n` }];
  return [
    {
      code: "version-missing",
      severity: "info",
      path: "version",
      message: `The file does not say its version; it is read as version ${formatVersion}.`,
      remedy: `Add \`version: ${formatVersion}\`.`,
      fix: { title: `Add \`version: ${formatVersion}\``, edits },
    },
  ];
};

const earlyStopNeedsEval: Check = ({ data, eval: { early_stop: stop } }) =>
  stop !== null && data.eval === null
    ? [
        contradiction(
          "eval.early_stop",
          "Early stopping needs measurements, and there is no `data.eval`.",
          "Add `data.eval`, such as `{ from: train, share: 0.05 }`, or remove `early_stop`.",
        ),
      ]
    : [];

const bestNeedsEval: Check = ({ data }, { chooses }) =>
  chooses("eval.best.metric") && data.eval === null
    ? [
        withoutEffect(
          "eval.best",
          "Nothing chooses a best checkpoint: there is no `data.eval`.",
          "Add `data.eval`, or remove `best`.",
        ),
      ]
    : [];

const everyNeedsEval: Check = ({ data }, { chooses }) =>
  chooses("eval.every") && data.eval === null
    ? [
        withoutEffect(
          "eval.every",
          "Nothing is measured: there is no `data.eval`.",
          "Add `data.eval`, or remove `every`.",
        ),
      ]
    : [];

const finalNeedsTest: Check = ({ data, eval: { final } }) =>
  final.length > 0 && data.test === null
    ? [
        withoutEffect(
          "eval.final",
          "`final` is measured on `data.test`, which is not given.",
          "Add `data.test`, or move the metrics to `eval.metrics`.",
        ),
      ]
    : [];

/** The metric that decides must be one that is measured on `data.eval`. */
const decidingMetrics: Check = (
  { eval: { metrics: measured, best, early_stop: stop }, sweep },
  { says },
) => {
  const deciding = [
    ...(says("eval.best") ? [["eval.best.metric", best.metric] as const] : []),
    ...(stop === null ? [] : [["eval.early_stop.metric", stop.metric] as const]),
    ...(sweep?.tune == null
      ? []
      : [["sweep.tune.select.metric", sweep.tune.select.metric] as const]),
  ];
  const names = ["loss", ...(measured ?? []).map(({ type }) => type)];
  return deciding.flatMap(([path, metric]) => metricFault(path, metric, [...new Set(names)]));
};

function metricFault(
  path: string,
  metric: string,
  measured: readonly string[],
): readonly Contradiction[] {
  const known = measured.map((name) => `eval.${name}`);
  if (known.includes(metric)) return [];
  if (metric.startsWith("test."))
    return [
      contradiction(
        path,
        `\`${metric}\` is measured once, at the end; test data choose nothing.`,
        `Use a metric of \`data.eval\`: ${enumerate(known, "or")}.`,
      ),
    ];
  const name = metricName(metric);
  if (isMetric(name) && metric.startsWith("eval."))
    return [
      contradiction(path, `\`${name}\` is not measured.`, `Add \`${name}\` to \`eval.metrics\`.`),
    ];
  const near = nearest(metric, [...known, ...Object.keys(metrics).map((each) => `eval.${each}`)]);
  const remedy =
    near === undefined ? `There is ${enumerate(known, "and")}.` : `Did you mean \`${near}\`?`;
  return [contradiction(path, `There is no metric \`${metric}\`.`, remedy)];
}

const metricsOfTask: Check = ({ task, eval: { metrics: measured, final } }) => {
  const generated = ["exact_match", "perplexity"];
  const classified = ["f1", "matthews", "pearson", "spearman"];
  const wrong = task === "causal-lm" ? classified : generated;
  const lists = [
    ["eval.metrics", measured ?? []],
    ["eval.final", final],
  ] as const;
  return lists.flatMap(([path, list]) =>
    list.flatMap(({ type }, index) =>
      wrong.includes(type)
        ? [
            contradiction(
              `${path}.${index}`,
              `\`${type}\` has no meaning for \`${task}\`.`,
              task === "causal-lm"
                ? "Use loss, perplexity, accuracy or exact_match."
                : "Use loss, accuracy, f1, matthews, pearson or spearman.",
            ),
          ]
        : [],
    ),
  );
};

const formatOfTask: Check = ({ task, data: { format } }) => {
  const fits =
    format === "auto" || (format === "labelled") === (task === "sequence-classification");
  return fits
    ? []
    : [
        contradiction(
          "data.format",
          `\`${format}\` examples do not fit \`${task}\`.`,
          task === "causal-lm"
            ? "Use text, prompt-completion or messages, or `task: sequence-classification`."
            : "Use labelled, or `task: causal-lm`.",
        ),
      ];
};

const packingNeedsTokens: Check = ({ task, data: { packing } }) =>
  packing && task === "sequence-classification"
    ? [
        contradiction(
          "data.packing",
          "Packing joins examples into one row, and a classifier gives one label to a row.",
          "Remove `packing`.",
        ),
      ]
    : [];

const lossNeedsForm: Check = ({ task, data: { loss_on: on, format } }) => {
  if (on === "auto" || on === "all") return [];
  const wanted = on === "assistant" ? "messages" : "prompt-completion";
  const known =
    format === "auto" || format === wanted || (on === "completion" && format === "messages");
  if (task === "causal-lm" && known) return [];
  return [
    contradiction(
      "data.loss_on",
      task === "causal-lm"
        ? `\`loss_on: ${on}\` needs examples in the format \`${wanted}\`, and these are \`${format}\`.`
        : `\`loss_on: ${on}\` has no meaning for \`${task}\`.`,
      task === "causal-lm" ? `Use \`format: ${wanted}\` or \`loss_on: all\`.` : "Remove `loss_on`.",
    ),
  ];
};

const templateOfForm: Check = ({ data }) => {
  const { template, chat_template: chat, format } = data;
  const both =
    template !== null && chat !== null
      ? [
          contradiction(
            "data.template",
            "`template` and `chat_template` both say how a prompt is written.",
            "Keep one of them.",
          ),
        ]
      : [];
  const unused =
    template !== null && (format === "messages" || format === "text")
      ? [
          withoutEffect(
            "data.template",
            `\`${format}\` examples are not put into a template.`,
            format === "messages" ? "Use `chat_template`." : "Use `format: prompt-completion`.",
          ),
        ]
      : [];
  return [...both, ...unused];
};

const microBatchDivides: Check = ({ train: { batch_size: batch, micro_batch_size: micro } }) => {
  if (micro === "auto") return [];
  if (micro > batch)
    return [
      contradiction(
        "train.micro_batch_size",
        `\`micro_batch_size\` is ${micro}, more than the ${batch} examples of a step.`,
        `Use at most ${batch}, or a larger \`batch_size\`.`,
      ),
    ];
  if (batch % micro === 0) return [];
  return [
    contradiction(
      "train.micro_batch_size",
      `${batch} examples of a step do not divide into batches of ${micro}.`,
      `Use a divisor of ${batch}, or \`auto\`.`,
    ),
  ];
};

const warmupFits: Check = ({ train: { warmup_steps: warmup, max_steps: steps } }) => {
  if (warmup > 1 && !Number.isInteger(warmup))
    return [
      contradiction(
        "train.warmup_steps",
        `\`warmup_steps\` is ${warmup}, neither a number of steps nor a share below 1.`,
        `Use ${Math.round(warmup)}, or a share such as 0.06.`,
      ),
    ];
  return steps !== null && warmup >= steps
    ? [
        contradiction(
          "train.warmup_steps",
          `The learning rate would still rise at the end: ${warmup} of ${steps} steps.`,
          "Use a share such as 0.06.",
        ),
      ]
    : [];
};

const epochsWithSteps: Check = ({ train }, { chooses }) =>
  train.max_steps !== null && chooses("train.num_train_epochs")
    ? [
        withoutEffect(
          "train.num_train_epochs",
          "`max_steps` decides how long the run is; `num_train_epochs` has no effect.",
          "Keep one of them.",
        ),
      ]
    : [];

const fullAlone: Check = ({ method, quantization }) => {
  const full = method.findIndex(({ type }) => type === "full");
  if (full < 0 || quantization === null) return [];
  return [
    contradiction(
      method.length === 1 ? "method" : `method.${full}`,
      "Full fine-tuning changes the weights, and quantized ones cannot be changed.",
      "Remove `quantization`, or use an adapter such as lora.",
    ),
  ];
};

const tuneSays: Check = ({ sweep }) => {
  if (sweep?.tune == null) return [];
  const { fields, select } = sweep.tune;
  const empty = Object.entries(fields).flatMap(([key, { times, values }]) =>
    (times === null) === (values === null)
      ? [
          contradiction(
            ["sweep", "tune", key],
            `\`${key}\` needs either \`times\` or \`values\`.`,
            "Write `{ times: [0.3, 1, 3] }` or `{ values: [1.0e-4, 3.0e-4] }`.",
          ),
        ]
      : [],
  );
  const shared =
    sweep.seeds?.includes(select.seed) === true
      ? [
          contradiction(
            "sweep.tune.select.seed",
            `Seed ${select.seed} both tunes and reports; a result would be chosen by its own luck.`,
            "Use a seed that is not one of `seeds`.",
          ),
        ]
      : [];
  return [...empty, ...shared];
};

const checks: readonly Check[] = [
  version,
  earlyStopNeedsEval,
  bestNeedsEval,
  everyNeedsEval,
  finalNeedsTest,
  decidingMetrics,
  metricsOfTask,
  formatOfTask,
  packingNeedsTokens,
  lossNeedsForm,
  templateOfForm,
  microBatchDivides,
  warmupFits,
  epochsWithSteps,
  fullAlone,
  tuneSays,
];
