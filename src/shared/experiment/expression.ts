/** @file Arithmetic in the file: `2r`, `= batch_size / 4`. Own grammar, no code, bounded depth. */

/**
 * sum     := product (("+" | "-") product)*
 * product := sign (("*" | "/") sign)*
 * sign    := "-" sign | atom
 * atom    := number name? | name | function "(" sum ("," sum)* ")" | "(" sum ")"
 *
 * A number directly before a name multiplies it. `×` and `−` are `*` and `-`. Names are fields: `r`,
 * `train.batch_size`. Functions: sqrt, min, max.
 */
export type Expression =
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "negate"; readonly of: Expression }
  | {
      readonly kind: "binary";
      readonly operator: "+" | "-" | "*" | "/";
      readonly left: Expression;
      readonly right: Expression;
    }
  | { readonly kind: "call"; readonly name: FunctionName; readonly of: readonly Expression[] };

const functions = { sqrt: 1, min: Infinity, max: Infinity } as const;
type FunctionName = keyof typeof functions;

/** An expression, or what is wrong and where in its text. */
export type ParsedExpression =
  | { readonly ok: true; readonly expression: Expression }
  | { readonly ok: false; readonly message: string; readonly offset: number };

const longest = 300;
const deepest = 40;

/** Whether a text in the place of a number is meant as arithmetic: `= …`, `2r`, `r`. */
export function looksLikeExpression(text: string): boolean {
  if (text.startsWith("=")) return true;
  return /^\d*\.?\d* ?[A-Za-z][\w.]*$/.test(text) && !noName.test(text);
}

/** What other languages have for truth and for what is no number. */
const noName = /^(?:yes|no|on|off|true|false|none|nan|inf|infinity)$/i;

const tokenForm = /\s*(?:(\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+)|([A-Za-z][\w.]*)|([-−+*×/(),]))/y;

interface Token {
  readonly kind: "number" | "name" | "sign" | "end";
  readonly text: string;
  readonly offset: number;
}

export function parseExpression(written: string): ParsedExpression {
  if (written.length > longest)
    return { ok: false, message: `it is longer than ${longest} characters`, offset: 0 };
  const tokens = tokenise(written);
  if ("ok" in tokens) return tokens;
  return parseTokens(tokens);
}

type Failure = Extract<ParsedExpression, { readonly ok: false }>;

function tokenise(written: string): readonly Token[] | Failure {
  const tokens: Token[] = [];
  const begin = written.startsWith("=") ? 1 : 0;
  const end = written.trimEnd().length;
  tokenForm.lastIndex = begin;
  while (tokenForm.lastIndex < end) {
    const before = tokenForm.lastIndex;
    const match = tokenForm.exec(written);
    if (match === null) {
      const offset =
        before + (written.slice(before).length - written.slice(before).trimStart().length);
      const character = written.slice(offset, offset + 1);
      return { ok: false, message: `\`${character}\` is not part of arithmetic`, offset };
    }
    const [whole, digits, name, sign = ""] = match;
    const text = digits ?? name ?? sign.replace("×", "*").replace("−", "-");
    const kind = digits !== undefined ? "number" : name !== undefined ? "name" : "sign";
    tokens.push({ kind, text, offset: before + whole.length - text.length });
  }
  return [...tokens, { kind: "end", text: "", offset: end }];
}

function parseTokens(tokens: readonly Token[]): ParsedExpression {
  let next = 0;
  let depth = 0;
  let failure: Failure | undefined;
  const end: Token = { kind: "end", text: "", offset: 0 };
  const peek = () => tokens[next] ?? end;
  const take = () => {
    const token = peek();
    next += 1;
    return token;
  };
  const isSign = (...signs: readonly string[]) =>
    peek().kind === "sign" && signs.includes(peek().text);
  const fail = (message: string): Expression => {
    failure ??= { ok: false, message, offset: peek().offset };
    next = tokens.length;
    return { kind: "number", value: 0 };
  };

  function sum(): Expression {
    let left = product();
    while (isSign("+", "-"))
      left = { kind: "binary", operator: take().text === "+" ? "+" : "-", left, right: product() };
    return left;
  }
  function product(): Expression {
    let left = sign();
    while (isSign("*", "/"))
      left = { kind: "binary", operator: take().text === "*" ? "*" : "/", left, right: sign() };
    return left;
  }
  function sign(): Expression {
    depth += 1;
    if (depth > deepest) return fail(`it is nested deeper than ${deepest}`);
    const value: Expression = isSign("-") ? (take(), { kind: "negate", of: sign() }) : atom();
    depth -= 1;
    return value;
  }
  function atom(): Expression {
    if (isSign("(")) {
      take();
      return closed(sum());
    }
    const token = peek();
    if (token.kind === "number") {
      take();
      const value: Expression = { kind: "number", value: Number(token.text) };
      if (peek().kind !== "name") return value;
      return { kind: "binary", operator: "*", left: value, right: atom() };
    }
    if (token.kind !== "name")
      return fail(
        token.kind === "end"
          ? "it ends where a value should be"
          : `a value is missing before \`${token.text}\``,
      );
    take();
    return isSign("(") ? call(token) : { kind: "name", name: token.text };
  }
  function call({ text: name }: Token): Expression {
    if (!isFunction(name)) return fail(`\`${name}\` is no function; there are sqrt, min and max`);
    take();
    const of = [sum()];
    while (isSign(",")) {
      take();
      of.push(sum());
    }
    if (of.length > functions[name]) return fail(`\`${name}\` takes one value`);
    return closed({ kind: "call", name, of });
  }
  function closed(value: Expression): Expression {
    if (!isSign(")")) return fail("a `)` is missing");
    take();
    return value;
  }

  const expression = sum();
  if (failure === undefined && peek().kind !== "end")
    fail(`\`${peek().text}\` is not expected here`);
  return failure ?? { ok: true, expression };
}

function isFunction(name: string): name is FunctionName {
  return Object.hasOwn(functions, name);
}

/** The value; `lookup` gives a name's, or `undefined`, which makes the whole `undefined`. */
export function evaluateExpression(
  expression: Expression,
  lookup: (name: string) => number | undefined,
): number | undefined {
  switch (expression.kind) {
    case "number":
      return expression.value;
    case "name":
      return lookup(expression.name);
    case "negate": {
      const value = evaluateExpression(expression.of, lookup);
      return value === undefined ? undefined : -value;
    }
    case "binary": {
      const left = evaluateExpression(expression.left, lookup);
      const right = evaluateExpression(expression.right, lookup);
      return left === undefined || right === undefined
        ? undefined
        : operate(expression.operator, left, right);
    }
    case "call": {
      const values = expression.of.map((value) => evaluateExpression(value, lookup));
      const known = values.filter((value) => value !== undefined);
      return known.length < values.length ? undefined : applied(expression.name, known);
    }
  }
}

function operate(operator: "+" | "-" | "*" | "/", left: number, right: number): number {
  switch (operator) {
    case "+":
      return left + right;
    case "-":
      return left - right;
    case "*":
      return left * right;
    case "/":
      return left / right;
  }
}

function applied(name: FunctionName, values: readonly number[]): number {
  switch (name) {
    case "sqrt":
      return Math.sqrt(values[0] ?? NaN);
    case "min":
      return Math.min(...values);
    case "max":
      return Math.max(...values);
  }
}
