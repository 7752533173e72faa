/** @file The matrices to look at, each read when its turn comes: a base alone, or with what was trained on it. */
import { createHash } from "node:crypto";
import type { Data, Matrix } from "../../../kernels/linalg/index.ts";
import { UserError } from "../../shared/errors.ts";
import type { Finding } from "../../shared/findings.ts";
import type { MatrixPair, Update } from "../analyze/source.ts";
import type { FullMatch } from "../methods/targets.ts";
import { tunedMatrix } from "./merged-matrix.ts";
import type { ModelFolder } from "./model-folder.ts";
import { cut, shapeText } from "./model-folder.ts";
import { isTableOrHead, roleOf } from "./names.ts";
import type { StoredMatrix } from "./stored-matrix.ts";
import { dtypeOf, readMatrix, sizeOf } from "./stored-matrix.ts";
import type { SideRecord } from "../../shared/analysis-documents.ts";
import type { HashedUpdate, HeldForm, HeldMatrix, TunedSide } from "./tuned-side.ts";

/** Which of the three questions of a quantized base is asked. */
export const questions = ["original-tuned", "dequantized-tuned", "original-dequantized"] as const;

export type Question = (typeof questions)[number];

export interface SetOptions {
  /** A Python-style regular expression that is searched in whole names; undefined takes every matrix that is no table and no head. */
  readonly matrices: string | undefined;
  readonly splitsFused: boolean;
  readonly fullMatch: FullMatch;
  readonly quantized: { readonly form: HeldForm; readonly question: Question } | undefined;
  /** A full fine-tuning of the same base, for controls. */
  readonly full?: TunedSide | undefined;
}

/** A matrix before it is read. */
export interface PendingMatrix {
  readonly name: string;
  readonly module: string;
  readonly layer: number | undefined;
  readonly out: number;
  readonly in: number;
  /** The tensor that it is, or a part of. */
  readonly tensor: string;
  /** Which rows of the tensor it is, where it is a part. */
  readonly rows: readonly number[] | undefined;
  /** Reads both sides and hashes them; the pair keeps what was read. */
  readonly prepare: () => Promise<MatrixPair>;
}

export interface MatrixSet {
  readonly matrices: readonly PendingMatrix[];
  readonly base: SideRecord;
  readonly tuned: SideRecord | undefined;
  readonly findings: readonly Finding[];
}

/** A {@link UserError} for an empty selection, tensors that one side lacks and shapes that differ. */
export function matrixSet(
  base: ModelFolder,
  tuned: TunedSide | undefined,
  options: SetOptions,
): MatrixSet {
  const isFound = nameFilter(options.matrices, options.fullMatch);
  const isChosen = ({ info }: StoredMatrix): boolean =>
    options.matrices === undefined ? !isTableOrHead(info.name) : isFound(info.name);
  const chosen = [...base.matrices].filter(([, stored]) => isChosen(stored));
  if (tuned?.whole) requireBothSides(base, tuned, tuned.whole, chosen, isChosen);
  const both = chosen.filter(([plain]) => tuned === undefined || tuned.has(plain));
  if (both.length === 0) throw emptySelection(base, tuned, options.matrices);
  for (const [plain, stored] of both) tuned?.check(plain, stored);
  if (options.full) requireComparable(options.full, base, both);
  const { path, resolved, source } = base;
  return {
    base: {
      kind: "model",
      path,
      ...(resolved.hubId === undefined ? {} : { hubId: resolved.hubId }),
      ...(resolved.snapshot === undefined ? {} : { snapshot: resolved.snapshot }),
    },
    tuned:
      options.quantized?.question === "original-dequantized"
        ? { kind: options.quantized.form.label, path }
        : tuned?.record,
    findings: [...source.findings, ...(tuned?.findings ?? [])],
    matrices: both.flatMap(([plain, stored]) =>
      cut(stored.info.name, stored, base.facts, options.splitsFused).map(([name, one]) =>
        pending(name, plain, one, tuned, options),
      ),
    ),
  };
}

/** What `--matrices` finds; everything without it. A {@link UserError} for an expression that is none. */
export function nameFilter(
  pattern: string | undefined,
  fullMatch: FullMatch,
): (name: string) => boolean {
  if (pattern === undefined) return () => true;
  const matches = (expression: string, name: string): boolean => {
    try {
      return fullMatch(expression, name);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      throw new UserError({
        code: error.code,
        message: `--matrices: ${error.message}`,
        remedy:
          error.remedy ??
          "It takes a Python-style regular expression, searched in names of tensors.",
        cause: error,
      });
    }
  };
  matches(pattern, "");
  return (name) => matches(`.*(?:${pattern}).*`, name);
}

function pending(
  name: string,
  plain: string,
  stored: StoredMatrix,
  tuned: TunedSide | undefined,
  { quantized, full }: SetOptions,
): PendingMatrix {
  const facts = { name, ...roleOf(stored.info.name), ...sizeOf(stored) };
  return {
    ...facts,
    tensor: stored.info.name,
    rows: stored.part?.rows,
    async prepare() {
      const { W, hash } = await readMatrix(stored);
      const { W: held, label: how } = quantized
        ? await heldAs(plain, stored, W, quantized.form, tuned)
        : { W, label: "" };
      const isHeld = quantized?.question === "dequantized-tuned";
      const found = await updateFor(quantized?.question, W, held, () =>
        tuned?.update(plain, stored, held),
      );
      const label = quantized === undefined ? "" : `${quantized.question} ${how}`;
      const base = isHeld ? held : W;
      const dtype = dtypeOf(stored);
      return {
        ...facts,
        baseDtype: dtype,
        tunedDtype: tuned?.dtype(plain, stored) ?? dtype,
        baseHash: isHeld ? combined(hash, how) : hash,
        tunedHash: combined(hash, found?.hash ?? "", label),
        load: () => Promise.resolve({ base, ...(found ? { update: found.update } : {}) }),
        references: {
          quantization: quantized && {
            baseHash: hash,
            loaded: { base: W, update: { kind: "tuned", W: held } },
          },
          full: full?.has(plain)
            ? async () => ({ base: W, update: (await full.update(plain, stored, W)).update })
            : undefined,
        },
      };
    },
  };
}

function heldAs(
  plain: string,
  stored: StoredMatrix,
  W: Matrix<Data>,
  form: HeldForm,
  tuned: TunedSide | undefined,
): Promise<HeldMatrix> {
  const { name } = stored.info;
  return tuned?.held?.(plain, stored, W, form) ?? heldUnless(isTableOrHead(name), name, W, form);
}

/** As the form makes it, or as it is stored. */
export async function heldUnless(
  isStored: boolean,
  name: string,
  W: Matrix<Data>,
  form: HeldForm,
): Promise<HeldMatrix> {
  return isStored ? { W, label: "as stored" } : { W: await form.apply(name, W), label: form.label };
}

async function updateFor(
  question: Question | undefined,
  W: Matrix<Data>,
  held: Matrix<Data>,
  trained: () => Promise<HashedUpdate> | undefined,
): Promise<HashedUpdate | undefined> {
  if (question === "original-dequantized") return { update: { kind: "tuned", W: held }, hash: "" };
  const found = await trained();
  if (!found || question !== "original-tuned" || found.update.kind === "tuned") return found;
  // What was trained sits on the held matrix; the difference to the original holds both.
  const merged = tunedMatrix(held, found.update);
  const update: Update = {
    kind: "dense",
    delta: { ...merged, data: merged.data.map((value, i) => value - (W.data[i] ?? NaN)) },
  };
  return { update, hash: found.hash };
}

function combined(...parts: readonly string[]): string {
  return createHash("sha256").update(parts.join(" ")).digest("hex");
}

const mostNamed = 5;

function requireBothSides(
  base: ModelFolder,
  tuned: TunedSide,
  whole: ReadonlyMap<string, StoredMatrix>,
  chosen: readonly (readonly [string, StoredMatrix])[],
  isChosen: (stored: StoredMatrix) => boolean,
): void {
  const lacks = chosen.filter(([plain]) => !whole.has(plain)).map(([, { info }]) => info.name);
  const more = [...whole]
    .filter(([plain, stored]) => isChosen(stored) && !base.matrices.has(plain))
    .map(([, { info }]) => info.name);
  const [missing, side, other] =
    lacks.length > 0
      ? ([lacks, tuned.record.path, base.path] as const)
      : ([more, base.path, tuned.record.path] as const);
  const [first] = missing;
  if (first === undefined) return;
  const none = lacks.length === chosen.length;
  throw new UserError({
    code: "missing-tensors",
    message: `${side} lacks ${missing.length} of the matrices of ${other}: ${missing.slice(0, mostNamed).join(", ")}${missing.length > mostNamed ? " …" : ""}.`,
    place: { file: side, field: first },
    remedy: none
      ? "Give the model that it was trained from: no name fits."
      : "Give the two sides of one model, or choose what both have with --matrices.",
  });
}

/** The full fine-tuning of a control: of the same base, by names and shapes. */
function requireComparable(
  full: TunedSide,
  base: ModelFolder,
  both: readonly (readonly [string, StoredMatrix])[],
): void {
  const shared = both.filter(([plain]) => full.has(plain));
  for (const [plain, stored] of shared) full.check(plain, stored);
  if (shared.length > 0) return;
  throw new UserError({
    code: "missing-tensors",
    message: `${full.record.path} has none of the matrices of ${base.path} that are looked at.`,
    place: { file: full.record.path },
    remedy: "Give as --full a model that was trained from this base.",
  });
}

function emptySelection(
  base: ModelFolder,
  tuned: TunedSide | undefined,
  pattern: string | undefined,
): UserError {
  const names = [...base.matrices.values()].map(({ info }) => info.name);
  const some = names.slice(0, 3).join(", ");
  if (tuned?.reason !== undefined)
    throw new UserError({
      code: "no-matrix-update",
      message: `${tuned.record.path} changes no ${pattern === undefined ? "matrix of a layer" : `matrix that --matrices ${pattern} finds`}. ${tuned.reason}`,
      place: { file: tuned.record.path },
      remedy:
        "Look at a method that changes matrices, or compare what the models answer: `spectune compare`.",
    });
  const of = tuned ? `${base.path} that ${tuned.record.path} changes` : base.path;
  return new UserError({
    code: "empty-selection",
    message:
      pattern === undefined
        ? `There is no matrix of ${of} to look at, tables of tokens and heads left out.`
        : `--matrices ${pattern} finds no matrix of ${of}.`,
    place: { file: base.path },
    remedy:
      names.length === 0
        ? "Give a folder with the weights of a model."
        : `--matrices takes a Python-style regular expression that is searched in names such as ${some}.`,
  });
}

/** A {@link UserError} unless two stored matrices have one size in our orientation. */
export function requireEqualShapes(tuned: StoredMatrix, base: StoredMatrix): void {
  const [a, b] = [sizeOf(tuned), sizeOf(base)];
  if (a.out === b.out && a.in === b.in) return;
  throw new UserError({
    code: "different-shapes",
    message: `${base.info.name} is ${shapeText(base.info)} in ${base.info.file}, but ${shapeText(tuned.info)} in ${tuned.info.file}.`,
    place: { file: tuned.info.file, field: tuned.info.name },
    remedy: "Give the model that was trained from this base, with the same sizes.",
  });
}
