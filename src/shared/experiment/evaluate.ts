/** @file Values of expressions over the fields of a document, defaults and cycles included. */
import type { Field } from "../schema.ts";
import { enumerate } from "./describe.ts";
import { evaluateExpression, looksLikeExpression, parseExpression } from "./expression.ts";
import type { Report } from "./findings.ts";
import { fieldAt, fieldsIn } from "./lookup.ts";
import { nearest } from "./nearest.ts";
import { nameOf, shortened } from "./scalars.ts";
import type { Located, Location, Path } from "./tree.ts";
import { nodeAt } from "./tree.ts";

/** An expression with its value, for hints beside it. */
export interface Computed {
  readonly path: Path;
  readonly at: Location;
  readonly expression: string;
  readonly value: number;
}

export interface Evaluator {
  readonly evaluate: (expression: string, path: Path, at: Location) => number | undefined;
  readonly computed: readonly Computed[];
}

/** How many fields one expression may reach through others. */
const longestChain = 50;

/**
 * Evaluates expressions in `document`. A name is first a field beside the expression, then one beside a
 * map around it, up to the root; a field that the file does not say counts with its default.
 */
export function evaluator(root: Field<unknown>, document: Located, report: Report): Evaluator {
  const computed: Computed[] = [];
  // Each field is computed once: a chain of doublings would otherwise take time exponential in its length.
  const known = new Map<string, number | undefined>();
  const open = new Set<string>();

  function evaluate(expression: string, path: Path, at: Location): number | undefined {
    const id = path.join(".");
    if (known.has(id)) return known.get(id);
    const value = compute(expression, path, at, id);
    known.set(id, value);
    if (value !== undefined) computed.push({ path, at, expression, value });
    return value;
  }

  function compute(expression: string, path: Path, at: Location, id: string): number | undefined {
    if (open.has(id)) {
      const chain = [...open, id].map((name) => `\`${name}\``).join(" → ");
      report("expression-cycle", at, {
        message: `${nameOf(path)} depends on itself: ${chain}.`,
        path,
      });
      return undefined;
    }
    if (open.size >= longestChain) return undefined;
    const parsed = parseExpression(expression);
    if (!parsed.ok) {
      report("expression-syntax", at, {
        message: `\`${shortened(expression.trim())}\` is no arithmetic: ${parsed.message}.`,
        path,
        remedy: parsed.message.includes("`)`")
          ? "Within braces or brackets a comma ends the value: put the arithmetic into quotes."
          : "Use + - * / ( ), sqrt, min, max and names of fields, such as `= 2 * r`.",
      });
      return undefined;
    }
    open.add(id);
    const value = evaluateExpression(parsed.expression, (name) => lookup(name, path, at));
    open.delete(id);
    if (value === undefined) return undefined;
    if (!Number.isFinite(value)) {
      const message = `\`${shortened(expression.trim())}\` has no finite value (${value}).`;
      report("expression-value", at, { message, path });
      return undefined;
    }
    return value;
  }

  function lookup(name: string, path: Path, at: Location): number | undefined {
    const steps = name.split(".");
    for (let depth = path.length - 1; depth >= 0; depth -= 1) {
      const candidate = [...path.slice(0, depth), ...steps];
      const node = nodeAt(document, candidate);
      const field = fieldAt(root, document, candidate);
      if (field !== undefined && canBeNumber(field))
        return valueOf(candidate, node, field, name, path, at);
    }
    reportName(name, path, at);
    return undefined;
  }

  function valueOf(
    path: Path,
    node: Located | undefined,
    field: Field<unknown>,
    name: string,
    asked: Path,
    at: Location,
  ): number | undefined {
    if (node?.kind === "number") return node.value;
    if (node?.kind === "text" && looksLikeExpression(node.value) && !isWord(field, node.value))
      return evaluate(node.value, path, node.at);
    if (node === undefined || node.kind === "null") {
      if (typeof field.default === "number") return field.default;
      report("expression-value", at, {
        message: `\`${name}\` has no value here, so nothing can be computed from it.`,
        path: asked,
        remedy: `Give \`${path.join(".")}\` a number.`,
      });
      return undefined;
    }
    report("expression-value", at, {
      message: `\`${name}\` is no number here, so nothing can be computed from it.`,
      path: asked,
    });
    return undefined;
  }

  function reportName(name: string, path: Path, at: Location): void {
    const owner = path.slice(0, -1);
    const field = fieldAt(root, document, owner);
    const beside = field === undefined ? [] : fieldsIn(field, nodeAt(document, owner));
    const numbers = beside.filter((each) => canBeNumber(each.field)).map(({ key }) => key);
    const names = numbers.filter((key) => key !== path.at(-1));
    const near = nearest(name, names);
    report("expression-unknown-name", at, {
      message: `\`${name}\` is no field with a number.`,
      path,
      remedy:
        near !== undefined
          ? `Did you mean \`${near}\`?`
          : names.length > 0
            ? `Beside it there are ${enumerate(names, "and")}; others by their path, such as \`train.batch_size\`.`
            : undefined,
    });
  }

  return { evaluate, computed };
}

function canBeNumber({ shape }: Field<unknown>): boolean {
  switch (shape.kind) {
    case "int":
    case "number":
    case "share":
      return true;
    case "union":
      return shape.options.some(canBeNumber);
    default:
      return false;
  }
}

/** `auto` in a field that is a number or `auto`. */
function isWord({ shape }: Field<unknown>, text: string): boolean {
  return (
    shape.kind === "union" &&
    shape.options.some((option) => option.shape.kind === "oneOf" && option.shape.literals.has(text))
  );
}
