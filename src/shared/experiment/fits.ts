/** @file Whether a node is of a field's kind, whatever else may be wrong with it. */
import type { Field } from "../schema.ts";
import { looksLikeExpression } from "./expression.ts";
import { fieldsIn } from "./lookup.ts";
import type { Located } from "./tree.ts";

/** Picks the option of a union. */
export function fits(field: Field<unknown>, node: Located): boolean {
  const { shape } = field;
  switch (shape.kind) {
    case "int":
    case "number":
      return node.kind === "number" || (node.kind === "text" && looksLikeExpression(node.value));
    case "share":
      return node.kind === "number" || (node.kind === "text" && /^[=\d]/.test(node.value));
    case "bool":
      return node.kind === "bool";
    case "duration":
      return node.kind === "number" || (node.kind === "text" && /^(\d|end$)/.test(node.value));
    case "any":
      return true;
    case "text":
      return node.kind === "text" || node.kind === "number";
    case "oneOf":
      return node.kind === "text" && shape.literals.has(node.value);
    case "list":
      return node.kind === "list" || (shape.single && fits(shape.of, node));
    case "record":
      return node.kind === "map";
    case "object":
      return node.kind === "map" || (shape.short !== undefined && node.kind === "text");
    case "choice":
      return (
        (node.kind === "text" && Object.hasOwn(shape.variants, node.value)) ||
        (node.kind === "map" && fieldsIn(field, node).length > 0)
      );
    case "keyed":
      return node.kind === "text" || (node.kind === "map" && node.entries.length === 1);
    case "union":
      return shape.options.some((option) => fits(option, node));
  }
}
