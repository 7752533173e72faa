/** @file Expands a sweep into points and runs: deterministic order, labels of what differs, limits. */
import type { Checked } from "../findings.ts";
import { hasErrors } from "../findings.ts";
import type { Field, Json } from "../schema.ts";
import { setAt, without } from "./change.ts";
import { canonicalise } from "./canonical-names.ts";
import { inline } from "./describe.ts";
import type { CatalogFields } from "./fields/catalog-fields.ts";
import type { Experiment, Sweep } from "./fields/experiment-fields.ts";
import { documentField } from "./fields/experiment-fields.ts";
import type { ExperimentFinding, Report } from "./findings.ts";
import { collector } from "./findings.ts";
import { fieldAt, fieldsIn } from "./lookup.ts";
import { nearest } from "./nearest.ts";
import type { Normalised } from "./normalise.ts";
import { normalise } from "./normalise.ts";
import { canonicalJson, identityText, plainExperiment } from "./serialise.ts";
import type { Location, MapNode, Path } from "./tree.ts";
import { draftsOf, labelsOf } from "./sweep-drafts.ts";
import type { Draft } from "./sweep-drafts.ts";
import { beginningOf, entryOf, locate, nodeAt, plain } from "./tree.ts";

/** Field paths with their values, such as `method.r` and 16. */
export type Overrides = Readonly<Record<string, Json>>;

/** One configuration; its runs differ in the seed only. */
export interface SweepPoint {
  /** What tells it from the other points: `r=4 init=pissa`. Unique within the sweep. */
  readonly label: string;
  readonly overrides: Overrides;
  readonly control: boolean;
  /** With the experiment's own seed, and before any tuning. */
  readonly experiment: Experiment;
  /** The combinations of values that tuning tries; empty where the sweep does not tune. */
  readonly candidates: readonly Overrides[];
}

/** A `main` run of a tuned point still lacks the chosen candidate: {@link experimentAt} completes it. */
export interface SweepRun {
  readonly kind: "tune" | "main";
  /** Index into the points. */
  readonly point: number;
  readonly label: string;
  readonly seed: number;
  readonly overrides: Overrides;
}

export interface ExpandedSweep {
  readonly points: readonly SweepPoint[];
  /**
   * In order of execution: all tuning runs, then all points with the first seed, with the second, and so
   * on, so that a sweep that is cut short still compares every point.
   */
  readonly runs: readonly SweepRun[];
}

/** The points and runs of a document's sweep; where it has none, the document itself is the only point. */
export function expandSweep(
  { document, experiment, findings: known }: Normalised,
  catalog: CatalogFields,
): Checked<ExpandedSweep | undefined> & { readonly findings: readonly ExperimentFinding[] } {
  const { findings, report, add } = collector();
  if (experiment === undefined) return { value: undefined, findings };
  const { sweep } = experiment;
  const drafts = draftsOf(document, sweep, report);
  if (drafts === undefined) return { value: undefined, findings };
  const seeds = sweep?.seeds ?? [experiment.train.seed];
  const labels = labelsOf(drafts);
  const told = new Set(known.map(identityOf));
  const before = new Set(known.map(identityOf));
  const refused = new Set<number>();
  const points = drafts.flatMap((draft, index) => {
    const said = findings.length;
    const result = pointOf(document, draft, catalog, report);
    const own = result.findings.filter((finding) => !before.has(identityOf(finding)));
    if (findings.length > said || hasErrors(own)) refused.add(index);
    for (const finding of result.findings) {
      if (told.has(identityOf(finding))) continue;
      told.add(identityOf(finding));
      add(ofPoint(finding, labels[index] ?? ""));
    }
    if (result.experiment === undefined) return [];
    const overrides = Object.fromEntries(
      draft.settings.map(({ key, value }) => [key, plain(value)] as const),
    );
    const candidates = candidatesOf(document, sweep, result.experiment, catalog, report);
    return [
      {
        label: labels[index] ?? "",
        overrides,
        control: draft.control,
        experiment: result.experiment,
        candidates,
      },
    ];
  });
  reportEqual(document, drafts, points, { catalog, report, refused });
  if (points.length < drafts.length || hasErrors(findings)) return { value: undefined, findings };
  return { value: { points, runs: runsOf(points, seeds, sweep) }, findings };
}

/** The experiment of one run: the document without its sweep, the overrides set, the seed in place. */
export function experimentAt(
  document: MapNode,
  overrides: Overrides,
  seed: number,
  catalog: CatalogFields,
): Normalised {
  const { report } = collector();
  const at = beginningOf(document);
  const settings = Object.entries({ ...overrides, "train.seed": seed }).map(([key, value]) => ({
    key,
    keyAt: at,
    value: locate(value, at),
  }));
  return pointOf(document, { settings, control: false }, catalog, report);
}

function pointOf(
  document: MapNode,
  { settings }: Draft,
  catalog: CatalogFields,
  report: Report,
): Normalised {
  const root = documentField(catalog);
  let changed: MapNode = without(document, "sweep");
  for (const { key, keyAt, value } of settings) {
    const path = key.split(".");
    const next = setAt(root, changed, path, value);
    if (next?.kind === "map" && fieldAt(root, next, path) !== undefined && isSweepable(path))
      changed = next;
    else reportField(root, changed, path, keyAt, report);
  }
  const { report: ignore } = collector();
  return normalise(canonicalise(root, changed, ignore), catalog);
}

function isSweepable([section]: Path): boolean {
  return section !== "sweep" && section !== "version" && section !== "extends";
}

function reportField(
  root: Field<unknown>,
  document: MapNode,
  path: Path,
  at: Location,
  report: Report,
): void {
  const known = fieldsIn(root, document).flatMap(({ key, field }) => [
    key,
    ...fieldsIn(field, nodeAt(document, [key])).map((inner) => `${key}.${inner.key}`),
  ]);
  const name = path.join(".");
  const near = isSweepable(path)
    ? (nearest(name, known) ?? known.find((each) => each.endsWith(`.${name}`)))
    : undefined;
  report("sweep-unknown-field", at, {
    message: isSweepable(path)
      ? `\`${name}\` is no field that a point can change.`
      : `\`${name}\` cannot differ between the points of a sweep.`,
    path,
    remedy: near === undefined ? "Use a path such as `method.r`." : `Did you mean \`${near}\`?`,
  });
}

function candidatesOf(
  document: MapNode,
  sweep: Sweep | null,
  experiment: Experiment,
  catalog: CatalogFields,
  report: Report,
): readonly Overrides[] {
  const fields = Object.entries(sweep?.tune?.fields ?? {});
  if (fields.length === 0) return [];
  const values = plainExperiment(experiment, catalog);
  return fields.reduce<readonly Overrides[]>(
    (candidates, [key, { times, values: listed }]) => {
      const base = valueAt(values, key.split("."));
      if (base === undefined || (times !== null && typeof base !== "number")) {
        const entry = entryOf(nodeAt(document, ["sweep", "tune"]), key);
        report("sweep-unknown-field", entry?.keyAt ?? beginningOf(document), {
          message: `\`${key}\` is no ${times === null ? "field" : "number"} that can be tuned.`,
          path: ["sweep", "tune", key],
          remedy: "Use a path such as `train.learning_rate`.",
        });
        return candidates;
      }
      const tried =
        times === null
          ? (listed ?? [])
          : times.map((factor) => rounded(factor * (typeof base === "number" ? base : 1)));
      return candidates.flatMap((each) => tried.map((value) => ({ ...each, [key]: value })));
    },
    [{}],
  );
}

/** 3 × 0.0003 is 0.0009 and not 0.0008999999999999999. */
function rounded(value: number): number {
  return Number(value.toPrecision(12));
}

function valueAt(value: Json, path: Path): Json | undefined {
  let inner: Json | undefined = value;
  for (const step of path) {
    if (typeof inner !== "object" || inner === null) return undefined;
    inner = Object.entries<Json>(inner).find(([key]) => key === step)?.[1];
  }
  return inner;
}

function runsOf(
  points: readonly SweepPoint[],
  seeds: readonly number[],
  sweep: Sweep | null,
): readonly SweepRun[] {
  const tuning = points.flatMap(({ candidates, label, overrides }, point) =>
    candidates.map((candidate) => {
      const seed = sweep?.tune?.select.seed ?? 0;
      const tried = Object.entries(candidate).map(
        ([key, value]) => `${key.slice(key.lastIndexOf(".") + 1)}=${inline(value)}`,
      );
      const name = `${label} tune ${tried.join(" ")}`;
      return {
        kind: "tune" as const,
        point,
        label: name,
        seed,
        overrides: { ...overrides, ...candidate },
      };
    }),
  );
  const main = seeds.flatMap((seed) =>
    points.map(({ label, overrides }, point) => {
      const name = seeds.length === 1 ? label : `${label} seed=${seed}`;
      return { kind: "main" as const, point, label: name, seed, overrides };
    }),
  );
  return [...tuning, ...main];
}

/** Two points that are the same experiment cost time and say nothing. */
interface EqualContext {
  readonly catalog: CatalogFields;
  readonly report: Report;
  /** Points with a wrong value: it falls back to the default, and they seem equal though they are not meant to be. */
  readonly refused: ReadonlySet<number>;
}

function reportEqual(
  document: MapNode,
  drafts: readonly Draft[],
  points: readonly SweepPoint[],
  { catalog, report, refused }: EqualContext,
): void {
  if (points.length !== drafts.length) return;
  const seen = new Map<string, string>();
  points.forEach(({ experiment, label }, index) => {
    if (refused.has(index)) return;
    const identity = identityText(experiment, catalog);
    const same = seen.get(identity);
    seen.set(identity, same ?? label);
    if (same === undefined) return;
    const at = drafts[index]?.settings[0]?.value.at ?? beginningOf(document);
    report("sweep-no-difference", at, {
      severity: "warning",
      message: `The points \`${same}\` and \`${label}\` are the same experiment.`,
      path: ["sweep"],
      remedy: "Remove one of them.",
    });
  });
}

/** A finding about a point, without its fix: edits were made for the document, not for the sweep. */
function ofPoint(finding: ExperimentFinding, label: string): ExperimentFinding {
  const { code, severity, place, remedy } = finding;
  const message = `At the point \`${label}\`: ${finding.message}`;
  return { code, severity, message, place, ...(remedy === undefined ? {} : { remedy }) };
}

function identityOf({ code, message, place }: ExperimentFinding): string {
  return canonicalJson([code, message, place.file, place.offset]);
}
