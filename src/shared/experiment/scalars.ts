/** @file Checking single values: numbers, shares, words, durations, and what was probably meant. */
import type { Bounds, Duration } from "../schema.ts";
import { boundsInWords, enumerate, numberText } from "./describe.ts";
import { looksLikeExpression } from "./expression.ts";
import type { Report } from "./findings.ts";
import { nearest } from "./nearest.ts";
import type { Located, Location, Path, ScalarNode } from "./tree.ts";
import { beginningOf } from "./tree.ts";

export interface CheckContext {
  readonly report: Report;
  /** The value of `2r` or `= …` at `path`; reports itself what is wrong with it. */
  readonly evaluate: (expression: string, path: Path, at: Location) => number | undefined;
  /** Where the document could have a field of this name. */
  readonly placesOf: (name: string) => readonly Path[];
}

/** A number from a literal or an expression; `undefined` where there is none, which is reported. */
export function checkNumber(
  ctx: CheckContext,
  node: Located,
  path: Path,
  { whole, bounds, expects }: { whole: boolean; bounds: Bounds; expects: string },
): number | undefined {
  let value: number | undefined;
  if (node.kind === "number") value = node.value;
  else if (node.kind === "text" && looksLikeExpression(node.value)) {
    value = ctx.evaluate(node.value, path, node.at);
    if (value === undefined) return undefined;
  } else {
    const meant = numberMeant(node);
    // What would be refused again is not offered.
    const serves =
      meant !== undefined && isWithin(meant, bounds) && (!whole || Number.isInteger(meant));
    wrongType(ctx, node, path, expects, serves ? numberText(meant) : undefined);
    return undefined;
  }
  if (!Number.isFinite(value)) {
    if (/\d/.test(node.written)) reportTooLarge(ctx, node, path, expects, "1.8e308");
    else {
      const message = `${nameOf(path)} must be ${expects}, and this is \`${node.written}\`.`;
      ctx.report("out-of-bounds", node.at, { message, path });
    }
    return undefined;
  }
  if (whole && Number.isInteger(value) && !Number.isSafeInteger(value)) {
    reportTooLarge(ctx, node, path, expects, String(Number.MAX_SAFE_INTEGER));
    return undefined;
  }
  if (whole && !Number.isInteger(value)) {
    const message = `${nameOf(path)} must be a whole number, and this is ${value}.`;
    ctx.report("wrong-type", node.at, { message, path });
    return undefined;
  }
  return withinBounds(ctx, node, path, value, bounds);
}

/** A number that cannot be held exactly, or at all. */
function reportTooLarge(
  ctx: CheckContext,
  node: ScalarNode,
  path: Path,
  expects: string,
  most: string,
): void {
  ctx.report("out-of-bounds", node.at, {
    message: `${nameOf(path)} must be ${expects}, and this is \`${shortened(node.written)}\`: such numbers end at ${most} here.`,
    path,
  });
}

function isWithin(value: number, bounds: Bounds): boolean {
  const { min = -Infinity, max = Infinity, above = -Infinity, below = Infinity } = bounds;
  const strictly = (above === -Infinity || value > above) && (below === Infinity || value < below);
  return Number.isFinite(value) && value >= min && value <= max && strictly;
}

function withinBounds(
  ctx: CheckContext,
  node: Located,
  path: Path,
  value: number,
  bounds: Bounds,
): number | undefined {
  if (isWithin(value, bounds)) {
    const lower = 2 ** Math.floor(Math.log2(value));
    if (bounds.powerOfTwo !== true || value === lower) return value;
    ctx.report("out-of-bounds", node.at, {
      message: `${nameOf(path)} must be a power of two, and this is ${value}; the nearest are ${lower} and ${2 * lower}.`,
      path,
    });
    return undefined;
  }
  const wanted = boundsInWords(bounds).trimStart() || "finite";
  ctx.report("out-of-bounds", node.at, {
    message: `${nameOf(path)} must be ${wanted}, and this is ${value}.`,
    path,
  });
  return undefined;
}

/** `0.05` or `5%`. */
export function checkShare(
  ctx: CheckContext,
  node: Located,
  path: Path,
  bounds: Bounds,
  expects: string,
): number | undefined {
  const percent = node.kind === "text" ? /^(\d+(?:\.\d+)?) ?%$/.exec(node.value) : null;
  if (percent === null) return checkNumber(ctx, node, path, { whole: false, bounds, expects });
  return withinBounds(ctx, node, path, Number(percent[1]) / 100, bounds);
}

export function checkBool(ctx: CheckContext, node: Located, path: Path): boolean | undefined {
  if (node.kind === "bool") return node.value;
  const meant =
    node.kind !== "text"
      ? undefined
      : /^(yes|on|y|true)$/i.test(node.value)
        ? "true"
        : /^(no|off|n|false)$/i.test(node.value)
          ? "false"
          : undefined;
  wrongType(ctx, node, path, "true or false", meant);
  return undefined;
}

/** A text; a bare number is taken as it is written (`revision: 1234`). */
export function checkText(
  ctx: CheckContext,
  node: Located,
  path: Path,
  expects: string,
): string | undefined {
  if (node.kind === "text") return node.value;
  if (node.kind === "number") return node.written;
  const meant = node.kind === "bool" ? JSON.stringify(node.written) : undefined;
  wrongType(ctx, node, path, expects, meant);
  return undefined;
}

export function checkWord(
  ctx: CheckContext,
  node: Located,
  path: Path,
  literals: ReadonlyMap<string, string>,
): string | undefined {
  const words = [...literals.keys()];
  const word =
    node.kind === "text" ? node.value : node.kind === "number" ? node.written : undefined;
  if (word !== undefined && literals.has(word)) return word;
  const expects = enumerate(words, "or");
  if (word === undefined) {
    wrongType(ctx, node, path, expects, boolMeant(node, literals));
    return undefined;
  }
  const near = words.find((known) => known === normalised(word)) ?? nearest(word, words);
  ctx.report("not-one-of", node.at, {
    message: `${nameOf(path)} must be ${expects}, and this is \`${shortened(word)}\`.`,
    path,
    ...(near === undefined ? {} : replacement(node, near)),
  });
  return undefined;
}

const durationForm = /^(\d+(?:\.\d+)?) ?(steps?|epochs?)$/;

export function checkDuration(ctx: CheckContext, node: Located, path: Path): Duration | undefined {
  const expects = "a duration such as `50 steps`, `1 epoch` or `end`";
  if (node.kind === "number") {
    if (!Number.isSafeInteger(node.value) || node.value < 1) {
      wrongType(ctx, node, path, expects, undefined);
      return undefined;
    }
    ctx.report("no-unit", node.at, {
      severity: "warning",
      message: `${nameOf(path)} has no unit; it is read as ${countOf(node.value)}.`,
      path,
      ...replacement(node, countOf(node.value)),
    });
    return { count: node.value, unit: "steps" };
  }
  if (node.kind !== "text") {
    wrongType(ctx, node, path, expects, undefined);
    return undefined;
  }
  if (node.value === "end") return { unit: "end" };
  const match = durationForm.exec(node.value);
  if (match === null) {
    wrongType(ctx, node, path, expects, nearest(node.value, ["end"]));
    return undefined;
  }
  const count = Number(match[1]);
  const unit = match[2]?.startsWith("step") === true ? "steps" : "epochs";
  if (count > 0 && Number.isFinite(count) && (unit === "epochs" || Number.isSafeInteger(count)))
    return { count, unit };
  const message =
    unit === "steps"
      ? `${nameOf(path)} must be a whole number of steps, at least 1.`
      : `${nameOf(path)} must be longer than 0 epochs.`;
  ctx.report("out-of-bounds", node.at, { message, path });
  return undefined;
}

function countOf(steps: number): string {
  return `${steps} ${steps === 1 ? "step" : "steps"}`;
}

/** Reports that `node` is of another type than wanted; `meant` is offered in its place. */
export function wrongType(
  ctx: CheckContext,
  node: Located,
  path: Path,
  expects: string,
  meant: string | undefined,
): void {
  const at = node.kind === "map" || node.kind === "list" ? beginningOf(node) : node.at;
  ctx.report("wrong-type", at, {
    message: `${nameOf(path)} must be ${expects}, and this is ${kindInWords(node)}.`,
    path,
    ...(meant === undefined ? {} : replacement(node, meant)),
  });
}

function kindInWords(node: Located): string {
  switch (node.kind) {
    case "null":
      return "nothing";
    case "bool":
    case "number":
      return `\`${shortened(node.written)}\``;
    case "text":
      return `the text \`${shortened(node.value)}\``;
    case "list":
      return "a list";
    case "map":
      return "a map";
  }
}

/** The field's name for a message: its path from the root. */
export function nameOf(path: Path): string {
  return path.length === 0 ? "The document" : `\`${path.join(".")}\``;
}

/** The beginning of a text that a message repeats. */
export function shortened(text: string): string {
  const line = text.split("\n", 1)[0] ?? "";
  return line.length > 60 || line !== text ? `${line.slice(0, 60)}…` : line;
}

function replacement(node: Located, text: string) {
  const { source, start, end } = node.at;
  const edits = [{ file: source.file, start, end, text }];
  return {
    remedy: `Write \`${text}\`.`,
    fix: { title: `Replace with \`${text}\``, edits },
  };
}

/** `"8"` and `1_000` are numbers that YAML reads as text; so is `1,7e-3`, while `1,000` may mean a thousand or one. */
function numberMeant(node: Located): number | undefined {
  if (node.kind !== "text") return undefined;
  const text = node.value.trim().replaceAll("_", "");
  const digits = /^[1-9]\d{0,2},\d{3}$/.test(text) ? text : text.replace(",", ".");
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(digits) ? Number(digits) : undefined;
}

/** `no` and `off` are words here where another YAML reader sees false. */
function boolMeant(node: Located, literals: ReadonlyMap<string, string>): string | undefined {
  if (node.kind !== "bool" || node.value) return undefined;
  return ["none", "never", "off", "no"].find((word) => literals.has(word));
}

function normalised(word: string): string {
  return word.trim().toLowerCase().replaceAll("-", "_");
}
