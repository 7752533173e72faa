/** @file Exact match: the share of generated completions whose answer is the reference's. */
import type { Finding } from "../../shared/findings.ts";
import { metrics } from "../../shared/experiment/fields/metrics.ts";
import type { Infer } from "../../shared/schema.ts";
import type { MetricTools } from "./define.ts";
import { defineMetric } from "./define.ts";
import type { CompletionResult } from "./example-result.ts";

type Config = Infer<typeof metrics.exact_match.fields>;

/** 1 where both texts have an answer and it is the same, white space around it aside. */
export const exactMatch = defineMetric({
  fields: metrics.exact_match.fields,
  needs: "completion",
  value: (examples, config, tools) =>
    examples.reduce((sum, example) => sum + score(example, config, tools), 0) / examples.length,
  score,
  remarks: withoutAnswer,
  refuses: (predicted) => ("tokens" in predicted ? undefined : "nothing is generated"),
});

function score(
  { generated, expected }: CompletionResult,
  config: Config,
  tools: MetricTools,
): number {
  const right = answerOf(expected, config, tools);
  return right !== undefined && answerOf(generated, config, tools) === right ? 1 : 0;
}

/** The part of a text that is compared; `undefined` where the expression does not find it. */
function answerOf(
  text: string,
  { answer, ignore_case: ignoreCase }: Config,
  { lastGroup }: MetricTools,
): string | undefined {
  const found = (answer === null ? text : lastGroup(answer, text))?.trim();
  // By way of upper case, so that ß and SS are equal.
  return ignoreCase ? found?.toUpperCase().toLowerCase() : found;
}

/** References without an answer can never be matched: a fault of the data or the expression. */
function withoutAnswer(
  examples: readonly CompletionResult[],
  config: Config,
  tools: MetricTools,
): readonly Finding[] {
  if (config.answer === null) return [];
  const missing = examples.filter(
    ({ expected }) => answerOf(expected, config, tools) === undefined,
  );
  if (missing.length === 0) return [];
  return [
    {
      code: "reference-without-answer",
      severity: "warning",
      message: `\`exact_match.answer\` finds nothing in the reference of ${missing.length} of ${examples.length} examples; they count as wrong.`,
      remedy: "Check the expression against the data's completions.",
    },
  ];
}
