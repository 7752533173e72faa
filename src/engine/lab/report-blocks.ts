/** @file Reads an `analysis` folder for a report. */
import { readFile, readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import type {
  AnyDocument,
  IntrudersDocument,
  SpectraDocument,
} from "../../shared/analysis-documents.ts";
import { isAnalysisDocument } from "../../shared/analysis-documents.ts";
import { cosinesTensor } from "../../shared/intruder-records.ts";
import { parseJson } from "../../shared/wire.ts";
import { readTrainerFolder } from "./trainer-folder.ts";
import type { LoggedPoint } from "./trainer-folder.ts";
import { openWeights } from "../weights/weight-source.ts";
import type { Block } from "../report/page.ts";
import type { CaptionFacts } from "../report/caption.ts";
import { captionTail } from "../report/caption.ts";
import { intruderBlocks } from "../report/intruder-blocks.ts";
import { lineChart } from "../report/line-chart.ts";
import { mitigationBlocks } from "../report/mitigation-blocks.ts";
import { overlapBlocks } from "../report/overlap-blocks.ts";
import { profileBlocks, shownMatrix } from "../report/profile-blocks.ts";
import { spectraBlocks } from "../report/spectra-blocks.ts";

export interface ReadDocument<D extends AnyDocument = AnyDocument> {
  readonly file: string;
  readonly document: D;
}

/** Every document of the folder, the oldest first; what is none is passed over. */
export async function readDocuments(folder: string): Promise<readonly ReadDocument[]> {
  const names = await readdir(folder).catch(() => []);
  const read: ReadDocument[] = [];
  for (const name of names.filter((one) => one.endsWith(".json"))) {
    const file = join(folder, name);
    const document = parseJson(await readFile(file, "utf8").catch(() => ""));
    if (isAnalysisDocument(document)) read.push({ file, document });
  }
  return read.toSorted((a, b) => a.document.time.localeCompare(b.document.time));
}

/** Blocks of everything that was looked at, the newest question first. */
export async function documentBlocks(
  read: readonly ReadDocument[],
  facts: CaptionFacts,
): Promise<readonly Block[]> {
  const blocks: Block[] = [];
  for (const one of questions(read.flatMap((each) => ofKind(each, "intruders")))) {
    blocks.push(...intruderBlocks(documentsOf(one), facts), ...(await profile(one.at(-1), facts)));
    blocks.push(...(await trainerLog(one, facts)));
  }
  for (const one of questions(read.flatMap((each) => ofKind(each, "spectra"))))
    blocks.push(...spectraBlocks(documentsOf(one), facts), ...(await trainerLog(one, facts)));
  const mitigations = read.flatMap((each) => ofKind(each, "mitigation"));
  blocks.push(...mitigationBlocks(documentsOf(mitigations), facts));
  for (const { document } of read.flatMap((each) => ofKind(each, "diff")))
    blocks.push(...overlapBlocks(document, facts));
  return blocks;
}

export function ofKind<K extends AnyDocument["kind"]>(
  { file, document }: ReadDocument,
  kind: K,
): readonly ReadDocument<Extract<AnyDocument, { readonly kind: K }>>[] {
  return isKind(document, kind) ? [{ file, document }] : [];
}

function isKind<K extends AnyDocument["kind"]>(
  document: AnyDocument,
  kind: K,
): document is Extract<AnyDocument, { readonly kind: K }> {
  return document.kind === kind;
}

function documentsOf<D extends AnyDocument>(list: readonly ReadDocument<D>[]): readonly D[] {
  return list.map(({ document }) => document);
}

/** Options that change how much is told, and not what is asked. */
const depth: ReadonlySet<string> = new Set(["draws", "exact", "full"]);

/**
 * One list for each question, by falling time: checkpoints of one thing in the order of their steps. The newest answer
 * stands for those before, unless one of them tells more of the same weights: with controls, or exactly.
 */
function questions<D extends SpectraDocument | IntrudersDocument>(
  read: readonly ReadDocument<D>[],
): readonly (readonly ReadDocument<D>[])[] {
  const groups = Map.groupBy(read, ({ document: { options, base, tuned } }) => {
    const of = tuned?.step === undefined ? (tuned?.path ?? "") : dirname(tuned.path);
    const question = Object.entries(options).filter(([name]) => !depth.has(name));
    return JSON.stringify([question, base.path, of, tuned?.step === undefined]);
  });
  return [...groups.values()].toReversed().map((group) => {
    const shown = new Map<number, ReadDocument<D>>();
    for (const read of group) {
      const step = read.document.tuned?.step ?? 0;
      const before = shown.get(step);
      if (!before || !tellsMore(before.document, read.document)) shown.set(step, read);
    }
    return [...shown].toSorted(([a], [b]) => a - b).map(([, read]) => read);
  });
}

/** Whether a document goes deeper than a later one, over all of its weights. */
function tellsMore<D extends SpectraDocument | IntrudersDocument>(before: D, later: D): boolean {
  const depthOf = ({ options }: D): number =>
    [...depth].filter((name) => Boolean(options[name])).length;
  const known = new Set(before.matrices.map(identity));
  return (
    depthOf(before) > depthOf(later) &&
    later.matrices.every((matrix) => known.has(identity(matrix)))
  );
}

function identity({ name, baseHash, tunedHash }: MatrixIdentity): string {
  return JSON.stringify([name, baseHash, tunedHash]);
}

interface MatrixIdentity {
  readonly name: string;
  readonly baseHash: string;
  readonly tunedHash: string;
}

async function profile(
  read: ReadDocument<IntrudersDocument> | undefined,
  facts: CaptionFacts,
): Promise<readonly Block[]> {
  const record = read && shownMatrix(read.document.matrices);
  if (!read || !record) return [];
  const source = await openWeights(read.file.replace(/\.json$/, ".safetensors")).catch(
    () => undefined,
  );
  if (!source) return [];
  try {
    const name = cosinesTensor(record.name);
    const [rows, columns] = source.tensors.get(name)?.shape ?? [];
    if (rows === undefined || columns === undefined) return [];
    const bytes = await source.read(name);
    const values = new Float32Array(bytes.buffer, bytes.byteOffset, rows * columns);
    return profileBlocks(record, { rows, columns, values }, facts);
  } finally {
    await source.close();
  }
}

/** Losses that a Trainer logged, where the checkpoints are its own. */
async function trainerLog(
  read: readonly ReadDocument<SpectraDocument | IntrudersDocument>[],
  facts: CaptionFacts,
): Promise<readonly Block[]> {
  const tuned = read.at(-1)?.document.tuned;
  if (tuned?.step === undefined) return [];
  const folder = await readTrainerFolder(dirname(tuned.path)).catch(() => undefined);
  return logBlocks(folder?.log ?? [], facts);
}

function logBlocks(log: readonly LoggedPoint[], facts: CaptionFacts): readonly Block[] {
  const series = ["loss", "eval_loss"]
    .map((name) => ({
      name,
      points: log.flatMap(({ step, values }): readonly (readonly [number, number])[] => {
        const value = values[name];
        return value === undefined ? [] : [[step, value]];
      }),
    }))
    .filter(({ points }) => points.length > 0);
  if (series.length === 0) return [];
  return [
    {
      kind: "chart",
      caption: `Losses as trainer_state.json has them, ${captionTail(facts)}`,
      svg: lineChart({ x: "step", y: "loss", series }),
      table: {
        head: ["name", "step", "loss"],
        rows: series.flatMap(({ name, points }) =>
          points.map(([step, value]) => [name, step, value]),
        ),
      },
    },
  ];
}
