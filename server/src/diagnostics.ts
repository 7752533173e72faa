/** @file Everything that is wrong with a document, with its place in it. */
import { formatPlace } from "../../src/shared/errors.ts";
import { pointCount } from "../../src/shared/experiment/checks/swept-fields.ts";
import type { ExperimentFinding, FilePlace, Fix } from "../../src/shared/experiment/findings.ts";
import { placeOf } from "../../src/shared/experiment/findings.ts";
import { relativeTo } from "../../src/shared/experiment/paths.ts";
import { expandSweep } from "../../src/shared/experiment/sweep.ts";
import { entryOf, locationOf, plain } from "../../src/shared/experiment/tree.ts";
import type { Finding, Severity } from "../../src/shared/findings.ts";
import type { Analysis } from "./analysis.ts";
import { factChecks } from "./checks.ts";
import { valueOf } from "./facts.ts";
import { createLaterOf } from "./later.ts";
import { withoutSilenced } from "./suppressions.ts";

/** Offsets count UTF-16 units from the start of the text, `end` excluded. */
export interface Diagnostic {
  readonly code: string;
  readonly severity: Severity;
  readonly message: string;
  readonly remedy?: string;
  readonly start: number;
  readonly end: number;
  /** The likeliest first. */
  readonly fixes: readonly Fix[];
  /** The same where it is said, which may be in a file that this one extends. */
  readonly origin?: Origin;
}

export interface Origin {
  readonly place: FilePlace;
  readonly message: string;
  readonly fixes: readonly Fix[];
}

/** Severities by code, as the user sets them. */
export type SeveritySettings = ReadonlyMap<string, Severity | "off">;

/** In the order of the text. */
export function diagnose(
  analysis: Analysis,
  severities: SeveritySettings = new Map(),
): readonly Diagnostic[] {
  const { normalised } = analysis;
  const found = [
    ...normalised.findings.map((finding) => ofFinding(analysis, finding)),
    ...sweepFindings(analysis).map((finding) => ofFinding(analysis, finding)),
    ...factFindings(analysis),
  ];
  return withoutSilenced(analysis.text, found)
    .flatMap((diagnostic) => withSeverity(diagnostic, severities))
    .toSorted((a, b) => a.start - b.start || a.end - b.end);
}

function withSeverity(diagnostic: Diagnostic, severities: SeveritySettings): readonly Diagnostic[] {
  const wanted = severities.get(diagnostic.code);
  if (wanted === "off") return [];
  return [wanted === undefined ? diagnostic : { ...diagnostic, severity: wanted }];
}

/** Up to so many points are checked at each keystroke; more of them when there is time. */
const pointsAtOnce = 4;
const laterFindings = createLaterOf<readonly ExperimentFinding[]>();

function sweepFindings({
  normalised,
  experiment,
  facts,
  catalog,
  text,
}: Analysis): readonly ExperimentFinding[] {
  const sweep = experiment?.sweep;
  if (sweep == null) return [];
  const expand = () => expandSweep(normalised, catalog).findings;
  if (pointCount(sweep) <= pointsAtOnce) return expand();
  const key = `sweep ${text} ${JSON.stringify(plain(normalised.document))}`;
  return valueOf(laterFindings(facts, key, expand)) ?? [];
}

function factFindings(analysis: Analysis): readonly Diagnostic[] {
  const { experiment } = analysis;
  if (experiment === undefined) return [];
  const { document } = analysis.normalised;
  const ctx = { ...analysis, experiment, document };
  return factChecks.flatMap(({ code, severity, find }) =>
    find(ctx).map(({ path, message, remedy, fixes = [] }) => {
      const steps = typeof path === "string" ? path.split(".") : path;
      const place = placeOf(locationOf(document, steps), steps);
      return shown(analysis, { code, severity, remedy }, { place, message, fixes });
    }),
  );
}

function ofFinding(analysis: Analysis, finding: ExperimentFinding): Diagnostic {
  const { code, severity, message, remedy, fix, place } = finding;
  const fixes = fix === undefined ? [] : [fix];
  return shown(analysis, { code, severity, remedy }, { place, message, fixes });
}

/** What is wrong in a file that this one extends is shown where it is named, and mended there. */
function shown(
  analysis: Analysis,
  {
    code,
    severity,
    remedy,
  }: Pick<Finding, "code" | "severity"> & {
    readonly remedy: string | undefined;
  },
  origin: Origin,
): Diagnostic {
  const { place, message, fixes } = origin;
  const said = { code, severity, ...(remedy !== undefined && { remedy }), origin };
  if (place.file === analysis.file)
    return { ...said, message, start: place.offset, end: place.endOffset, fixes };
  const named = entryOf(analysis.written(), "extends")?.value.at ?? { start: 0, end: 0 };
  const { line, column } = place;
  const there = formatPlace({ file: relativeTo(analysis.base, place.file), line, column });
  return {
    ...said,
    message: `${there}: ${message}`,
    fixes: [],
    start: named.start,
    end: named.end,
  };
}
