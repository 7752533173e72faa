/** @file Findings about experiment files: a closed union of codes, exact places, and edits that mend. */
import type { Place } from "../errors.ts";
import type { Finding, Severity } from "../findings.ts";
import { printable } from "../printable.ts";
import type { Location, Path } from "./tree.ts";
import { lineAndColumn } from "./tree.ts";

/** Codes of what is wrong with a text, a field or a value by itself. */
export type ReadingCode =
  // the text
  | "yaml-syntax"
  | "yaml-tag"
  | "yaml-alias"
  | "yaml-key"
  | "duplicate-key"
  | "several-documents"
  | "file-too-large"
  | "file-too-deep"
  // fields
  | "unknown-field"
  | "unknown-variant"
  | "field-not-for-variant"
  | "missing-field"
  | "missing-value"
  | "wrong-type"
  | "out-of-bounds"
  | "not-one-of"
  | "wrong-length"
  | "no-unit"
  | "foreign-name"
  | "foreign-without-counterpart"
  | "said-twice"
  // expressions
  | "expression-syntax"
  | "expression-unknown-name"
  | "expression-cycle"
  | "expression-value"
  // several files
  | "extends-missing"
  | "extends-cycle"
  | "extends-too-deep"
  | "bad-override"
  // sweeps
  | "sweep-too-large"
  | "sweep-unknown-field"
  | "sweep-unequal-lists"
  | "sweep-no-difference";

/** Codes of the checks in `checks/`, each of the file of that name. */
export type CheckCode =
  | "attention-only-targets"
  | "best-without-eval"
  | "chosen-by-test-data"
  | "compute-dtype-of-processor"
  | "data-file-kind"
  | "data-used-twice"
  | "early-stop-never-measured"
  | "early-stop-without-eval"
  | "epochs-without-effect"
  | "eval-without-data"
  | "exact-match-without-completion"
  | "final-without-test"
  | "forgetting-of-classifier"
  | "format-not-for-task"
  | "labels-repeated"
  | "labels-without-effect"
  | "learning-rate-far-off"
  | "loss-without-form"
  | "metric-not-for-task"
  | "metric-not-measured"
  | "micro-batch-not-divisor"
  | "mode-against-metric"
  | "number-is-text-elsewhere"
  | "packing-with-labels"
  | "revision-of-folder"
  | "saved-and-targeted"
  | "scale-extreme"
  | "sweep-changes-scale"
  | "sweep-one-learning-rate"
  | "sweep-one-seed"
  | "sweep-over-seeds"
  | "sweep-unequal-budgets"
  | "sweep-without-points"
  | "template-malformed"
  | "template-unused"
  | "tuning-seed-reported"
  | "tuning-without-values"
  | "two-templates"
  | "version-missing"
  | "version-unknown"
  | "warmup-longer-than-run"
  | "warmup-not-whole"
  | "word-is-bool-elsewhere";

/** Every code that reading or checking an experiment file can report. */
export type ExperimentCode = ReadingCode | CheckCode;

/** A place with both ends; `offset`/`endOffset` count UTF-16 units from the start of the file. */
export interface FilePlace extends Place {
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  readonly endColumn: number;
  readonly offset: number;
  readonly endOffset: number;
}

/** Replace the text from `start` to `end` of `file`. */
export interface Edit {
  readonly file: string;
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

export interface Fix {
  readonly title: string;
  readonly edits: readonly Edit[];
}

export interface ExperimentFinding extends Finding {
  readonly code: ExperimentCode;
  readonly place: FilePlace;
  readonly fix?: Fix;
}

export function placeOf({ source, start, end }: Location, path?: Path): FilePlace {
  const [line, column] = lineAndColumn(source, start);
  const [endLine, endColumn] = lineAndColumn(source, end);
  const field = path === undefined || path.length === 0 ? {} : { field: path.join(".") };
  const offsets = { offset: start, endOffset: end };
  return { file: source.file, line, column, endLine, endColumn, ...offsets, ...field };
}

/** What a finding says beside its code and place. */
export interface Remark {
  readonly severity?: Severity;
  readonly message: string;
  readonly path?: Path;
  readonly remedy?: string | undefined;
  readonly fix?: Fix | undefined;
}

export type Report = (code: ExperimentCode, at: Location, remark: Remark) => void;

/** Findings as they stand in the texts, those of `file` first. */
export function inTextOrder(
  findings: readonly ExperimentFinding[],
  file: string,
): readonly ExperimentFinding[] {
  const files = [file, ...findings.map(({ place }) => place.file)];
  const rank = new Map(files.toReversed().map((name, index) => [name, files.length - index]));
  return findings.toSorted(
    ({ place: a }, { place: b }) =>
      (rank.get(a.file) ?? 0) - (rank.get(b.file) ?? 0) || a.offset - b.offset,
  );
}

const mostFindings = 300;

export interface Collector {
  readonly findings: readonly ExperimentFinding[];
  readonly report: Report;
  /** Takes over a finding from elsewhere. */
  readonly add: (finding: ExperimentFinding) => void;
}

/** Collects findings; the same remark about the same place is kept once, and no more than a few hundred. */
export function collector(): Collector {
  const findings: ExperimentFinding[] = [];
  const seen = new Set<string>();
  const add = (finding: ExperimentFinding) => {
    const { code, message, place } = finding;
    const identity = `${code} ${place.file} ${place.offset} ${place.endOffset} ${message}`;
    if (seen.has(identity) || findings.length >= mostFindings) return;
    seen.add(identity);
    findings.push(finding);
  };
  const report: Report = (code, at, { severity = "error", message, path, remedy, fix }) => {
    add({
      code,
      severity,
      message: printable(message),
      place: placeOf(at, path),
      ...(remedy === undefined ? {} : { remedy: printable(remedy) }),
      ...(fix === undefined ? {} : { fix: { ...fix, title: printable(fix.title) } }),
    });
  };
  return { findings, report, add };
}
