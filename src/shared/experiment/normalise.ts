/** @file From the text of an experiment file to the experiment with every default written out. */
import { errorsOf, hasErrors } from "../findings.ts";
import { checkExperiment } from "./checks.ts";
import type { Computed } from "./evaluate.ts";
import { evaluator } from "./evaluate.ts";
import type { Provider } from "./extends.ts";
import { applyOverride, readDocument } from "./extends.ts";
import type { CatalogFields } from "./fields/catalog-fields.ts";
import type { Experiment } from "./fields/experiment-fields.ts";
import { documentField, experimentFields } from "./fields/experiment-fields.ts";
import { fillDefaults } from "./fill.ts";
import type { ExperimentFinding, Report } from "./findings.ts";
import { collector, inTextOrder } from "./findings.ts";
import { placesNamed } from "./lookup.ts";
import type { MapNode } from "./tree.ts";
import { validate } from "./validate.ts";

export interface ReadOptions {
  /** The file's path, as findings shall name it; `extends` is found relative to it. */
  readonly file: string;
  readonly text: string;
  readonly catalog: CatalogFields;
  /** Texts of other files, for `extends`. */
  readonly provider?: Provider;
  /** `field=value`, applied in order after everything the files say. */
  readonly overrides?: readonly string[];
}

export interface Normalised {
  /** `undefined` where a field that has no default is missing or wrong; findings then say which. */
  readonly experiment: Experiment | undefined;
  readonly findings: readonly ExperimentFinding[];
  /** Expressions with their values, for hints. */
  readonly computed: readonly Computed[];
  /** What the files say, in canonical names, all of `extends` and overrides merged in. */
  readonly document: MapNode;
}

/** Reads, checks and completes an experiment. Never throws on what the text says. */
export function readExperiment(options: ReadOptions): Normalised {
  const { file, text, catalog, provider = () => undefined, overrides = [] } = options;
  const { findings, report } = collector();
  const root = documentField(catalog);
  let document = readDocument(root, file, text, provider, report);
  for (const override of overrides) document = applyOverride(root, document, override, report);
  // Nothing could be read: that everything is missing need not be said.
  if (document.entries.length === 0 && hasErrors(findings))
    return { experiment: undefined, findings, computed: [], document };
  const result = normalise(document, catalog);
  const unread = errorsOf(findings);
  const isTabbed = unread.some(({ place }) => place.file === file && isTabbedLine(text, place));
  // What another file would have said, and what stands behind a tab, is not judged without it.
  const isConsequence = ({ code, place }: ExperimentFinding): boolean =>
    isTabbed && place.file === file
      ? code !== "yaml-syntax"
      : code === "missing-field" && unread.some((error) => error.place.field === "extends");
  const all = [...findings, ...result.findings].filter((finding) => !isConsequence(finding));
  return { ...result, findings: inTextOrder(all, file) };
}

function isTabbedLine(text: string, { line }: ExperimentFinding["place"]): boolean {
  return /^ *\t/.test(text.split("\n")[line - 1] ?? "");
}

/** Checks a document in canonical form, and writes out every default. */
export function normalise(document: MapNode, catalog: CatalogFields): Normalised {
  const { findings, report } = collector();
  const root = documentField(catalog);
  const { evaluate, computed } = evaluator(root, document, report);
  const placesOf = (name: string) => placesNamed(root, document, name);
  const checked = validate({ report, evaluate, placesOf }, experimentFields(catalog), document);
  const experiment = checked === undefined ? undefined : fillDefaults(checked);
  // What is wrong already needs no advice on how it is spelt.
  const advise: Report = (code, at, remark) => {
    const isWrong = errorsOf(findings).some(
      ({ place }) =>
        place.file === at.source.file && place.offset === at.start && place.endOffset === at.end,
    );
    if (remark.severity !== "info" || !isWrong) report(code, at, remark);
  };
  if (experiment !== undefined) checkExperiment(experiment, document, root, advise);
  return { experiment, findings, computed, document };
}
