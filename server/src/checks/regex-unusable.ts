/** @file A regular expression that Python would refuse, or that takes too long. */
import type { Path } from "../../../src/shared/experiment/tree.ts";
import { valueOf } from "../facts.ts";
import type { CheckContext, FactCheck, FoundWithFixes } from "./check.ts";
import { methodPath } from "./check.ts";

export const regexUnusable: FactCheck = {
  code: "regex-unusable",
  severity: "error",
  doc: "Expressions are Python's; one that cannot be read, or that takes longer than a fraction of a second on the model's names, is refused.",
  find: (ctx) => unusableExpressions(ctx),
};

const noNames: readonly string[] = [""];

/** Where expressions cannot be used, and why. */
export function unusableExpressions(ctx: CheckContext): readonly FoundWithFixes[] {
  const view = valueOf(ctx.model);
  const modules = view?.sites ?? noNames;
  return expressionsOf(ctx).flatMap(({ path, pattern, isName }) => {
    const matched = ctx.facts.match(isName ? `(.*\\.)?(${pattern})` : pattern, modules);
    if (matched.ok) return [];
    const { message, remedy } = matched.problem;
    return [{ path, message, ...(remedy !== undefined && { remedy }) }];
  });
}

interface SaidExpression {
  readonly path: Path;
  readonly pattern: string;
  /** Matched against the end of a module's path. */
  readonly isName: boolean;
}

function expressionsOf(ctx: CheckContext): readonly SaidExpression[] {
  const { experiment } = ctx;
  const ofMethods = experiment.method.flatMap((choice, index) => {
    const { target_modules: targets, exclude_modules: excluded } = choice;
    const patterns = { rank_pattern: choice.rank_pattern, alpha_pattern: choice.alpha_pattern };
    const named = Object.entries(patterns).flatMap(([field, pattern]) =>
      Object.keys(pattern).map((key) => ({
        path: methodPath(ctx, index, field, key),
        pattern: key,
        isName: true,
      })),
    );
    const whole = [
      ["target_modules", targets],
      ["exclude_modules", excluded],
    ] as const;
    return [
      ...whole.flatMap(([field, pattern]) =>
        typeof pattern !== "string" || pattern === "all-linear"
          ? []
          : [{ path: methodPath(ctx, index, field), pattern, isName: false }],
      ),
      ...named,
    ];
  });
  const { metrics, final } = experiment.eval;
  const answers = Object.entries({ metrics: metrics ?? [], final }).flatMap(([list, items]) =>
    items.flatMap(({ type, config: { answer } }, index) =>
      typeof answer === "string"
        ? [{ path: ["eval", list, String(index), type, "answer"], pattern: answer, isName: false }]
        : [],
    ),
  );
  return [...ofMethods, ...answers];
}
