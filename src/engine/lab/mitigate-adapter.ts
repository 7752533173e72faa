/** @file Mitigates an adapter or a tuned model: intruders are scaled, beside a control that scales their neighbours, and both are written. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Linalg } from "../../../kernels/linalg/index.ts";
import { createLinalg } from "../../../kernels/linalg/index.ts";
import { at, Cancelled, invariant } from "../../shared/errors.ts";
import { parseJson } from "../../shared/wire.ts";
import type { IntruderOptions } from "../analyze/finding.ts";
import { intruderDefaults } from "../analyze/finding.ts";
import type { Mitigated } from "../analyze/mitigation.ts";
import { compressed, joinedParts, mitigate } from "../analyze/mitigation.ts";
import type { MitigationDocument } from "../../shared/analysis-documents.ts";
import { analysisVersion, isAnalysisDocument } from "../../shared/analysis-documents.ts";
import type { MatrixIntrudersRecord, MitigationRecord } from "../../shared/intruder-records.ts";
import { isOtherConfig } from "../adapters/other-config.ts";
import { adapterFiles } from "../exports/peft-adapter.ts";
import { requireNewFolder } from "../exports/new-folder.ts";
import { writeFolderAtomic } from "../runs/atomic.ts";
import { unlessMissing } from "../runs/file-errors.ts";
import { kernelBytes } from "../runtime/kernels.ts";
import { readJson } from "../session/open-model.ts";
import { createFullMatch } from "../session/python-regex.ts";
import { lookForIntruders } from "./look-intruders.ts";
import type { LookHost, LookPlace } from "./look.ts";
import { lookAt, secondsLeft } from "./look.ts";
import { plainName } from "./names.ts";
import type { OpenTools, SideChoice } from "./open-sides.ts";
import { openSet } from "./open-sides.ts";
import { readPeftFacts } from "./peft-facts.ts";
import { writeAdapter, writeModel } from "./write-mitigated.ts";

export interface MitigateRequest {
  readonly place: LookPlace;
  readonly side: SideChoice;
  readonly intruders: Partial<IntruderOptions>;
  /** λ: the share of an intruder that stays. */
  readonly keep: number;
  readonly which: "top" | "all";
  /** Rank of a lossy compression; undefined keeps the exact r + |I|. */
  readonly compress: number | undefined;
  /** Where the result goes; the control lies in it under {@link controlFolder}. */
  readonly out: string;
}

export const controlFolder = "control-neighbour";

/** Lies in the folder of the result, and says whether it was measured. */
export const mitigationFile = "mitigation.json";

export interface MitigateResult {
  /** What {@link mitigationFile} holds so far. */
  readonly document: MitigationDocument;
  readonly found: readonly MatrixIntrudersRecord[];
}

/** Above this a full SVD of W costs more than a block Krylov space. */
const exactBelow = 512;

/**
 * Verdicts come first, and are kept as `intruders` keeps them: after an interrupt the same call goes on from there, and
 * from a result that was written and not measured yet.
 */
export async function mitigateSide(
  request: MitigateRequest,
  host: LookHost,
): Promise<MitigateResult> {
  const { place, side, keep, which, out } = request;
  const looks = await lookAt(place, [side], lookForIntruders(request.intruders), host);
  const found = looks.flatMap(({ records }) => records);
  const options = { ...intruderDefaults, ...request.intruders };
  const { compress } = request;
  const compression = compress === undefined ? {} : { compress };
  const head = {
    version: analysisVersion,
    kind: "mitigation",
    ...{ versions: place.versions, out, time: host.time(), measured: [], complete: false },
    options: { ...options, keep, which, ...compression },
    hashes: Object.fromEntries(found.map((one) => [one.name, `${one.baseHash} ${one.tunedHash}`])),
  } as const;
  const earlier = await unmeasured(out);
  if (earlier && JSON.stringify(identityOf(earlier)) === JSON.stringify(identityOf(head)))
    return { document: earlier, found };
  await requireNewFolder(out);
  const linalg = createLinalg(kernelBytes("linalg"));
  const tools = { linalg, fullMatch: createFullMatch(1000) };
  const set = await openSet(place, side, tools);
  const made: Made[] = [];
  const began = host.now();
  try {
    for (const [index, matrix] of set.matrices.entries()) {
      if (host.isCancelled()) throw new Cancelled();
      const { name, tensor, rows } = matrix;
      const total = set.matrices.length;
      const left = secondsLeft(index, total, host.now() - began);
      host.progress({ done: index, total, name, left });
      const loaded = await (await matrix.prepare()).load();
      const how = { keep, which, seed: options.seed, exactBelow };
      const record = at(found, index);
      const own = await mitigate({ linalg }, loaded, record, { ...how, control: false });
      const control = await mitigate({ linalg }, loaded, record, { ...how, control: true });
      made.push({ tensor, rows, own, control });
    }
  } finally {
    await set.close();
  }
  const whole = await wholeMatrices(made, request, tools);
  const isAdapter =
    side.kind === "adapter" &&
    whole.every(({ own, control }) => own.kind !== "correction" && control.kind !== "correction") &&
    (await isPlainLora(side.folder));
  const document: MitigationDocument = {
    ...head,
    form: isAdapter ? "adapter" : "model",
    matrices: recordsOf(made, whole, "own"),
    controls: recordsOf(made, whole, "control"),
  };
  await writeFolderAtomic(out, async (temporary) => {
    const write = (folder: string, of: "own" | "control") => {
      const results = new Map(whole.map((one) => [plainName(one.tensor), one[of]]));
      return isAdapter
        ? writeAdapter(side.folder, results, folder)
        : writeModel(request, results, folder, tools);
    };
    await write(temporary, "own");
    await writeFolderAtomic(join(temporary, controlFolder), (folder) => write(folder, "control"));
    await writeFile(join(temporary, mitigationFile), `${JSON.stringify(document)}\n`);
  });
  return { document, found };
}

/** Whether ΔW + a correction is an adapter of the same form: peft's other types have no room for it. */
async function isPlainLora(folder: string): Promise<boolean> {
  const config = await readJson(join(folder, adapterFiles.config));
  if (isOtherConfig(config)) return false;
  return (await readPeftFacts(folder)).residual === "none";
}

/** One matrix, or a part of one, scaled and with its neighbours scaled. */
interface Made {
  readonly tensor: string;
  readonly rows: readonly number[] | undefined;
  readonly own: Mitigated;
  readonly control: Mitigated;
}

/** What is written: parts put together again, and compressed where that was asked for. */
async function wholeMatrices(
  made: readonly Made[],
  request: MitigateRequest,
  tools: OpenTools,
): Promise<readonly Made[]> {
  const { place, side } = request;
  const isCut = made.some(({ rows }) => rows !== undefined);
  const set = isCut ? await openSet({ ...place, splitsFused: false }, side, tools) : undefined;
  try {
    const whole: Made[] = [];
    for (const [tensor, parts] of Map.groupBy(made, (one) => one.tensor)) {
      const [first] = parts;
      invariant(first, "a group has a member");
      const matrix = set?.matrices.find((one) => one.tensor === tensor);
      const loaded = first.rows && matrix ? await (await matrix.prepare()).load() : undefined;
      const [own, control] = (["own", "control"] as const).map((of) =>
        loaded
          ? joinedParts(
              loaded,
              parts.map((one) => ({ rows: one.rows ?? [], mitigated: one[of] })),
            )
          : first[of],
      );
      invariant(own && control, "two of them");
      const { linalg } = tools;
      whole.push({
        ...{ tensor, rows: undefined },
        own: await shrunk(linalg, own, request),
        control: await shrunk(linalg, control, request),
      });
    }
    return whole;
  } finally {
    await set?.close();
  }
}

/** A record for each matrix that was looked at; ranks are those of the tensor that it is in. */
function recordsOf(
  made: readonly Made[],
  whole: readonly Made[],
  of: "own" | "control",
): readonly MitigationRecord[] {
  const written = new Map(whole.map((one) => [one.tensor, one[of].record]));
  return made.map((one) => {
    const { record } = one[of];
    const { rankAfter, compressionLoss } = written.get(one.tensor) ?? record;
    return { ...record, rankAfter, compressionLoss };
  });
}

/** A result that was written and not measured yet; undefined where there is none. */
export async function unmeasured(out: string): Promise<MitigationDocument | undefined> {
  const text = await unlessMissing(readFile(join(out, mitigationFile), "utf8"));
  const document = text === undefined ? undefined : parseJson(text);
  if (!isAnalysisDocument(document) || document.kind !== "mitigation") return undefined;
  return document.complete === false ? document : undefined;
}

/** What a result hangs on. */
function identityOf({ options, hashes, versions }: Partial<MitigationDocument>): unknown {
  return [options, hashes, versions];
}

/** Compression to a rank is a wish of its own, and says what it loses. */
async function shrunk(
  linalg: Linalg,
  mitigated: Mitigated,
  { compress }: MitigateRequest,
): Promise<Mitigated> {
  if (compress === undefined || mitigated.kind !== "adapter") return mitigated;
  const { factors, loss } = await compressed(linalg, mitigated.factors, compress);
  const record = { ...mitigated.record, rankAfter: factors.A.rows, compressionLoss: loss };
  return { ...mitigated, factors, record };
}
