/** @file The sentences that sources can say, by their syntax: each choice of a template both ways, `7` for what varies. */
import { readFileSync } from "node:fs";
import ts from "typescript";

/** Names of properties whose texts are for tables and docs, not for what is said of a document. */
const forDocs = ["doc", "paper", "equation", "use"];

export function sentencesOf(file: string): readonly string[] {
  const source = ts.createSourceFile(
    file,
    readFileSync(file, "utf8"),
    ts.ScriptTarget.Latest,
    true,
  );
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) || ts.isTypeNode(node)) return;
    if (ts.isPropertyAssignment(node) && forDocs.includes(node.name.getText())) return;
    if (ts.isCallExpression(node) && node.expression.getText() === "invariant") return;
    // The end of a sentence that begins elsewhere.
    if (ts.isPropertyAssignment(node) && node.name.getText() === "why" && isText(node.initializer))
      found.push(...textsOf(node.initializer).map((text) => `7: ${text}.`));
    else if (isText(node)) found.push(...textsOf(node));
    else ts.forEachChild(node, visit);
  };
  visit(source);
  return found.filter((text) => /^[A-Z`7].* .*[.?]$/s.test(text) && !/^`[^`]*`\.$/.test(text));
}

function isText(node: ts.Node): node is ts.StringLiteralLike | ts.TemplateExpression {
  return ts.isStringLiteralLike(node) || ts.isTemplateExpression(node);
}

/** Every text that an expression can make, where it chooses between few. */
function textsOf(node: ts.Expression): readonly string[] {
  if (ts.isParenthesizedExpression(node)) return textsOf(node.expression);
  if (ts.isStringLiteralLike(node)) return [node.text];
  if (ts.isConditionalExpression(node))
    return [...textsOf(node.whenTrue), ...textsOf(node.whenFalse)];
  if (!ts.isTemplateExpression(node)) return ["7"];
  return node.templateSpans.reduce<readonly string[]>(
    (texts, { expression, literal }) =>
      texts.flatMap((text) => textsOf(expression).map((part) => `${text}${part}${literal.text}`)),
    [node.head.text],
  );
}
