/** @file What a metric states: which results it needs, its number over all examples, its score of one. */
import type { Finding } from "../../shared/findings.ts";
import type { Fields, Infer } from "../../shared/schema.ts";
import { complete } from "../config.ts";
import type { ExampleResult, ResultKind, ResultKinds } from "./example-result.ts";

/** What a metric gets from outside. */
export interface MetricTools {
  /** First group of an expression's last match in a text (see `createLastGroup`). */
  readonly lastGroup: (pattern: string, text: string) => string | undefined;
}

/** What is predicted: one of so many classes, a number, or tokens. */
export type Predicted =
  { readonly classes: number } | { readonly number: true } | { readonly tokens: true };

export interface MetricDefinition<F extends Fields, K extends ResultKind> {
  /** The metric's own fields, as the experiment file declares them. */
  readonly fields: F;
  readonly needs: K;
  /** Over all examples, at least one. NaN where the metric is not defined for them. */
  value(examples: readonly ResultKinds[K][], config: Infer<F>, tools: MetricTools): number;
  /** Of one example, where the metric has a meaning for one. */
  score?(example: ResultKinds[K], config: Infer<F>, tools: MetricTools): number;
  /** Why the metric has no meaning for what is predicted, as the end of "… , because". */
  refuses?(predicted: Predicted, config: Infer<F>): string | undefined;
  /** What to say about the examples beside the number. */
  remarks?(
    examples: readonly ResultKinds[K][],
    config: Infer<F>,
    tools: MetricTools,
  ): readonly Finding[];
}

/** A metric over a split. */
export interface Measured {
  readonly value: number;
  /** How many examples it is of. */
  readonly examples: number;
  /** The score of each example, by its index; empty where the metric has none for one example. */
  readonly scores: ReadonlyMap<number, number>;
  readonly findings: readonly Finding[];
}

/** A row of the table. */
export interface Metric {
  readonly needs: ResultKind;
  readonly measure: (
    results: readonly ExampleResult[],
    config: unknown,
    tools: MetricTools,
  ) => Measured;
  readonly refuses: (predicted: Predicted, config: unknown) => string | undefined;
}

export function defineMetric<F extends Fields, K extends ResultKind>(
  definition: MetricDefinition<F, K>,
): Metric {
  const { fields, needs } = definition;
  return {
    needs,
    measure(results, given, tools) {
      const config = complete(fields, given, "a metric");
      const examples: ResultKinds[K][] = [];
      const scores = new Map<number, number>();
      for (const result of results) {
        const kinds: Partial<ResultKinds> = result;
        const example = kinds[needs];
        if (example === undefined) continue;
        examples.push(example);
        if (definition.score) scores.set(result.index, definition.score(example, config, tools));
      }
      const value = examples.length === 0 ? NaN : definition.value(examples, config, tools);
      const findings = definition.remarks?.(examples, config, tools) ?? [];
      return { value, examples: examples.length, scores, findings };
    },
    refuses: (predicted, config) =>
      definition.refuses?.(predicted, complete(fields, config, "a metric")),
  };
}
