/** @file Rows of a file to tokenized examples, with a count of everything that was left out or cut. */
import { UserError } from "../../../shared/errors.ts";
import { untrainedColumn } from "../../../shared/experiment/untrained-column.ts";
import type { Finding } from "../../../shared/findings.ts";
import { rowName, type Row } from "../rows/row.ts";
import type { EncodedRow, RowEncoder } from "./encode-row.ts";
import { exampleStore, type Examples } from "./example-store.ts";
import { describeCounts, type ExampleCounts } from "./example-counts.ts";
import type { ExampleContext, ExampleSettings } from "./example-settings.ts";
import type { LabelColumn, LabelTarget } from "./label-column.ts";
import { settleForm, type SettledForm } from "./settle-form.ts";

export interface BuiltExamples {
  readonly examples: Examples;
  readonly form: SettledForm;
  /** What labels are; only of labelled examples. */
  readonly target: LabelTarget | undefined;
  readonly counts: ExampleCounts;
  readonly findings: readonly Finding[];
}

/**
 * Tokenizes every row. Throws a UserError with file and line for a row that cannot be read, an unknown
 * label, a text too long where the settings say `error`, and for data of which nothing is left.
 */
export async function buildExamples(
  rows: AsyncIterable<Row>,
  settings: ExampleSettings,
  context: ExampleContext,
): Promise<BuiltExamples> {
  const counts = {
    rows: 0,
    examples: 0,
    tokens: 0,
    trainedTokens: 0,
    longest: 0,
    tooLong: 0,
    empty: 0,
    untrained: 0,
    mergedBoundaries: 0,
  };
  // One id more than are kept tells that a row is too long; only a refusal says how long it is.
  const first = settings.too_long === "error" ? undefined : settings.max_length + 1;
  const tell = progressOf(context);
  let started: Started | undefined;
  for await (const row of rows) {
    started ??= start(row, settings, context);
    tell(row, counts.rows);
    counts.rows += 1;
    const encoded = encode(row, started.form.encoder, first);
    if (encoded.ids.length === 0) {
      counts.empty += 1;
      continue;
    }
    if (encoded.mergedBoundary === true) counts.mergedBoundaries += 1;
    const fitted = fit(encoded, row, settings, counts, started.form.encoder);
    if (fitted === undefined) continue;
    const trainedTokens = started.labels === undefined ? countTrained(fitted.trained) : 1;
    if (trainedTokens === 0) {
      counts.untrained += 1;
      continue;
    }
    started.store.add({ ...fitted, row: row.index, label: started.labels?.read(row) });
    counts.examples += 1;
    counts.tokens += fitted.ids.length;
    counts.trainedTokens += trainedTokens;
    counts.longest = Math.max(counts.longest, fitted.ids.length);
  }
  if (started === undefined)
    throw new UserError({
      code: "empty-data",
      message: "The data file has no rows.",
      place: { file: context.file },
      remedy: "Put at least one example into it.",
    });
  const findings = [
    ...started.findings,
    ...describeCounts(counts, settings, context, started.form),
  ];
  const examples = started.store.finish();
  if (examples.count === 0)
    throw new UserError({
      code: "no-examples",
      message: `None of the ${counts.rows} rows can be used. ${findings.map((finding) => finding.message).join(" ")}`,
      place: { file: context.file },
      remedy: findings.find((finding) => finding.remedy !== undefined)?.remedy ?? "Check the file.",
    });
  const target =
    examples.labels === undefined ? undefined : started.labels?.settle(examples.labels);
  return { examples, form: started.form, target, counts, findings };
}

function encode(row: Row, encoder: RowEncoder, first: number | undefined): EncodedRow {
  try {
    return encoder.encode(row, first);
  } catch (cause) {
    // The stack of a regular expression ends after some millions of letters without anything between them.
    if (!(cause instanceof RangeError)) throw cause;
    throw new UserError({
      code: "text-without-break",
      message: `${rowName(row)} has more letters without a space or sign between them than the tokenizer's expression can take.`,
      place: row.place,
      remedy: "Break the text into several rows.",
      cause,
    });
  }
}

/** Characters between two words of how far the work is: about a second of it. */
const stretch = 2_000_000;

/** Tells of a row before it is tokenized, every so many characters; a long row is told of at once. */
function progressOf({ file, onProgress }: ExampleContext): (row: Row, done: number) => void {
  if (onProgress === undefined) return () => undefined;
  let characters = 0;
  return ({ values }, done) => {
    for (const value of Object.values(values))
      characters += typeof value === "string" ? value.length : stretch / 10_000;
    if (characters < stretch) return;
    characters = 0;
    onProgress(file, done);
  };
}

interface Started {
  readonly form: SettledForm;
  /** About the columns. */
  readonly findings: readonly Finding[];
  readonly labels: LabelColumn | undefined;
  readonly store: ReturnType<typeof exampleStore>;
}

function start(row: Row, settings: ExampleSettings, context: ExampleContext): Started {
  const form = settleForm(row, settings, context);
  const store = exampleStore({
    typeIds: form.format === "labelled",
    labels: form.format === "labelled",
  });
  const untrained =
    settings.format === "auto" && form.format === "text"
      ? untrainedColumn(Object.keys(row.values), settings.columns.text)
      : undefined;
  const findings: readonly Finding[] =
    untrained === undefined
      ? []
      : [
          {
            code: "column-not-trained-on",
            severity: "warning",
            ...untrained,
            place: { file: context.file },
          },
        ];
  return { form, labels: form.labels, store, findings };
}

/** The row as it is, cut, or left out; throws where the settings say so. */
function fit(
  encoded: EncodedRow,
  row: Row,
  { max_length: longest, too_long: policy }: ExampleSettings,
  counts: { tooLong: number },
  encoder: RowEncoder,
): EncodedRow | undefined {
  if (encoded.ids.length <= longest) return encoded;
  counts.tooLong += 1;
  if (policy === "truncate") return encoder.cut(row, encoded, longest);
  if (policy === "drop") return undefined;
  throw new UserError({
    code: "example-too-long",
    message: `The example has ${encoded.ids.length} tokens, more than \`max_length\` ${longest}.`,
    place: row.place,
    remedy: "Raise `data.max_length`, or set `data.too_long` to `truncate` or `drop`.",
  });
}

/** Ids that are the target of some position: the first id of an example follows none. */
function countTrained(trained: Uint8Array): number {
  let count = 0;
  for (let index = 1; index < trained.length; index += 1) count += trained[index] === 1 ? 1 : 0;
  return count;
}
