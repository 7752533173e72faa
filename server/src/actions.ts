/** @file What can be done to a document at a place: fixes, silencing, writing out defaults, our names for foreign ones. */
import { applyEdits } from "../../src/shared/experiment/edits.ts";
import type { Edit } from "../../src/shared/experiment/findings.ts";
import type { Analysis } from "./analysis.ts";
import { analyse } from "./analysis.ts";
import { canBeSilenced } from "./codes.ts";
import { convertForeign } from "./convert.ts";
import { withDefaults } from "./defaults.ts";
import type { Diagnostic } from "./diagnostics.ts";
import { valueOf } from "./facts.ts";
import { formatText } from "./format.ts";

export interface Action {
  readonly title: string;
  readonly kind: "quickfix" | "rewrite" | "fix-all";
  readonly edits: readonly Edit[];
  /** The likeliest mending of a diagnostic. */
  readonly preferred?: true;
  /** The diagnostic that it mends. */
  readonly mends?: Diagnostic;
}

export function actions(
  analysis: Analysis,
  diagnostics: readonly Diagnostic[],
  start: number,
  end: number,
): readonly Action[] {
  const here = diagnostics.filter((each) => each.start <= end && each.end >= start);
  return [
    ...here.flatMap(fixesOf),
    ...here.flatMap((diagnostic) => silencing(analysis, diagnostic)),
    ...foreignActions(analysis, diagnostics),
    ...conversionActions(analysis),
    ...tabActions(analysis, diagnostics),
    ...defaultActions(analysis, start),
  ];
}

function fixesOf(diagnostic: Diagnostic): readonly Action[] {
  return diagnostic.fixes.map(({ title, edits }, index) => ({
    title,
    kind: "quickfix",
    edits,
    mends: diagnostic,
    ...(index === 0 && { preferred: true }),
  }));
}

/** A comment at the end of the line; one that is there already gets the code in addition. */
function silencing({ file, text }: Analysis, diagnostic: Diagnostic): readonly Action[] {
  const { code, severity, start } = diagnostic;
  if (!canBeSilenced(code, severity) || code.endsWith("-suppression")) return [];
  const newline = text.indexOf("\n", start);
  const lineEnd = newline < 0 ? text.length : newline;
  const line = text.slice(text.lastIndexOf("\n", start - 1) + 1, lineEnd);
  const there = line.includes("spectune-ignore:");
  const added = there ? `, ${code}` : `   # spectune-ignore: ${code}`;
  const at = text.slice(0, lineEnd).trimEnd().length;
  return [
    {
      title: `Silence \`${code}\` on this line`,
      kind: "quickfix",
      edits: [{ file, start: at, end: lineEnd, text: added }],
      mends: diagnostic,
    },
  ];
}

const foreignCodes = ["foreign-name", "said-twice"];
const mostRounds = 100;

/** All foreign names at once; what has no counterpart stays, marked, for a person to decide. */
function foreignActions(analysis: Analysis, diagnostics: readonly Diagnostic[]): readonly Action[] {
  const count = diagnostics.filter(({ code }) => foreignCodes.includes(code)).length;
  const lost = diagnostics.filter(({ code }) => code === "foreign-without-counterpart").length;
  if (count + lost < 2) return [];
  const after = withoutForeign(analysis);
  const { file, text, catalog } = analysis;
  const converted = convertForeign(file, text, catalog).text;
  return [
    ...rewriting(analysis, `Write all ${count} foreign names as ours`, after, "fix-all"),
    ...rewriting(
      analysis,
      `Convert to an experiment${lost === 0 ? "" : `; ${lost} fields that do not carry over become comments`}`,
      converted,
    ),
  ];
}

/** A file that says nothing yet, beside somebody's configuration. */
function conversionActions({ file, text, base, facts, catalog }: Analysis): readonly Action[] {
  if (/^[^#\s]/m.test(text.replace(/^version:.*$/m, ""))) return [];
  const entries = valueOf(facts.folder(base)) ?? [];
  return entries.flatMap(({ name }) => {
    if (!/^adapter_config\.json$|(?:axolotl|llama|trl|sft).*\.ya?ml$/i.test(name)) return [];
    const source = valueOf(facts.text(`${base}/${name}`));
    if (source === undefined) return [];
    const converted = convertForeign(name, source, catalog).text;
    return rewriting({ file, text }, `Fill from \`${name}\``, converted);
  });
}

function withoutForeign({ file, text, facts, catalog }: Analysis): string {
  let current = text;
  for (let round = 0; round < mostRounds; round += 1) {
    const next = analyse({ file, text: current }, facts, catalog);
    const found = next.normalised.findings.find(
      ({ code, fix, place }) =>
        foreignCodes.includes(code) && fix !== undefined && place.file === file,
    );
    if (found?.fix === undefined) return current;
    current = applyEdits(current, found.fix.edits);
  }
  return current;
}

function tabActions(analysis: Analysis, diagnostics: readonly Diagnostic[]): readonly Action[] {
  const { text } = analysis;
  if (!/^[ ]*\t/m.test(text) || !diagnostics.some(({ code }) => code === "yaml-syntax")) return [];
  const after = formatText(text);
  return after === text
    ? []
    : [
        {
          title: "Indent with spaces",
          kind: "quickfix",
          edits: wholeEdit(analysis, after),
          preferred: true,
        },
      ];
}

/** Of the section at the cursor, and of the whole file. */
function defaultActions(analysis: Analysis, offset: number): readonly Action[] {
  const section = analysis
    .written()
    .entries.findLast(
      ({ keyAt, value }) => keyAt.start <= offset && offset <= Math.max(keyAt.end, value.at.end),
    );
  const sections = section === undefined ? [] : [section.key];
  return [
    ...sections.flatMap((key) =>
      rewriting(analysis, `Write out the defaults of \`${key}\``, withDefaults(analysis, key)),
    ),
    ...rewriting(analysis, "Write out all defaults", withDefaults(analysis, undefined)),
  ];
}

function rewriting(
  of: Pick<Analysis, "file" | "text">,
  title: string,
  after: string | undefined,
  kind: Action["kind"] = "rewrite",
): readonly Action[] {
  if (after === undefined || after === of.text) return [];
  return [{ title, kind, edits: wholeEdit(of, after) }];
}

/** One edit of what differs between two texts. */
export function wholeEdit(
  { file, text }: Pick<Analysis, "file" | "text">,
  after: string,
): readonly Edit[] {
  let start = 0;
  while (start < text.length && start < after.length && text[start] === after[start]) start += 1;
  let tail = 0;
  const most = Math.min(text.length, after.length) - start;
  while (tail < most && text[text.length - 1 - tail] === after[after.length - 1 - tail]) tail += 1;
  return [{ file, start, end: text.length - tail, text: after.slice(start, after.length - tail) }];
}
