/** @file `eval`: what is measured, when, and what follows from it. */
import {
  bool,
  duration,
  int,
  keyed,
  list,
  number,
  object,
  oneOf,
  text,
  union,
} from "../../schema.ts";
import { metrics } from "./metrics.ts";

const metricName = {
  form: "metric",
  default: "eval.loss",
  doc: "The metric that decides, such as `eval.accuracy`.",
} as const;

function mode() {
  return oneOf(
    { min: "Less is better.", max: "More is better." },
    { default: null, doc: "Which way is better; by default told from the metric." },
  );
}

const metric = keyed(metrics, { doc: "A metric, or a map from it to its own fields." });

export const evalField = object(
  {
    every: duration({
      default: { count: 1, unit: "epochs" },
      doc: "How often `data.eval` is measured.",
    }),
    eval_on_start: bool({
      default: true,
      doc: "Measure before the first step too, so that there is something to compare with.",
    }),
    batch_size: union(
      [
        int({ min: 1, doc: "Examples at a time." }),
        oneOf({ auto: "As many as fit into memory." }, { doc: "Chosen by the plan." }),
      ],
      {
        default: "auto",
        unit: "examples",
        doc: "Examples in memory at a time while measuring.",
        aliases: ["per_device_eval_batch_size", "eval_batch_size"],
      },
    ),
    metrics: list(metric, {
      default: null,
      single: true,
      doc: "What is measured on `data.eval` and `data.test`; by default what suits the task.",
    }),
    final: list(metric, {
      default: [],
      single: true,
      doc: "What is measured on `data.test` in addition, once, after the last step.",
    }),
    forgetting: object(
      {
        text: text({
          form: "path",
          doc: "General text on which the base and the tuned model are compared.",
        }),
        tokens: int({
          default: 100_000,
          min: 1,
          unit: "tokens",
          doc: "How much of it is read.",
        }),
      },
      {
        default: null,
        short: "text",
        doc: "Change of the loss on general text against the base model.",
      },
    ),
    best: object(
      { metric: text(metricName), mode: mode() },
      { short: "metric", doc: "Which checkpoint is kept as the best." },
    ),
    early_stop: object(
      {
        metric: text(metricName),
        mode: mode(),
        patience: int({
          default: 3,
          min: 1,
          doc: "Measurements without improvement after which the run ends.",
          aliases: ["early_stopping_patience"],
        }),
        min_delta: number({
          default: 0,
          min: 0,
          doc: "The least change that counts as an improvement.",
          aliases: ["early_stopping_threshold"],
        }),
      },
      {
        default: null,
        doc: "End the run when a metric no longer improves.",
        aliases: ["early_stopping"],
      },
    ),
  },
  { doc: "What is measured, when, and what follows from it." },
);
